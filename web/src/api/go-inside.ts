import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { insideOf } from "./inside.ts";

/** Leads a person who has just signed in to where they were going; nothing of another one is kept. */
export function useGoInside(): () => void {
  const client = useQueryClient();
  const router = useRouter();
  return () => {
    client.clear();
    router.history.push(insideOf(new URLSearchParams(location.search).get("next")));
  };
}
