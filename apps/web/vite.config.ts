import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const SERVER = 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react()],
  build: { target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'], chunkSizeWarningLimit: 700 },
  server: {
    proxy: {
      '/api': SERVER,
      '/auth': SERVER,
      '/health': SERVER,
      '/ws': { target: SERVER, ws: true },
    },
  },
});
