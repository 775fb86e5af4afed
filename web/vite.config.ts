import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** One page under /web/; every script and style is a file of its own, as the page's CSP wants. */
// oxlint-disable-next-line import/no-default-export -- Vite asks for it.
export default defineConfig({
  base: "/web/",
  plugins: [react()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
