import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client.ts";

/** What the page knows: the router asks for what a place shows while its script is still on its way. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < 2 && error instanceof ApiError && error.status === 0,
    },
  },
});
