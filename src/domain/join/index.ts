export {
  formatJoinUri,
  joinUriAddress,
  looksLikeJoinUri,
  parseJoinUri,
  type JoinMethod,
  type JoinUri,
} from "./uri.ts";
