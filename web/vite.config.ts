import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * What React and the router are made of is one file: a browser opens six connections to us, and many
 * small files wait for each other.
 */
const base = {
  name: "base",
  test: /node_modules\/(react|react-dom|scheduler|@tanstack\/[a-z-]+)\//,
  minShareCount: 2,
};

/** One page under /web/; every script and style is a file of its own, as the page's CSP wants. */
// oxlint-disable-next-line import/no-default-export -- Vite asks for it.
export default defineConfig({
  base: "/web/",
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [base] } } },
  },
});
