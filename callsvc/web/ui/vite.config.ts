import { defineConfig } from "vite";

// The pages are served by callsvc.web from callsvc/web/static; nothing is fetched from elsewhere and nothing is inlined,
// so that the content security policy can forbid both.
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
  },
});
