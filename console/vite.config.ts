import { defineConfig } from 'vite';

/* Every file gets its hash into its name, so that browsers keep it for good (src/serve/site.h). */
export default defineConfig({
  base: '/console/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2021',
    assetsInlineLimit: 0, // the content security policy allows no data: but pictures
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    cssCodeSplit: true,
  },
});
