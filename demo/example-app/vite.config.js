/** The page finds the signaling server at its own address, as behind a proxy in production. */
const config = {
  base: './',
  build: { target: 'es2023' },
  server: { proxy: { '/signal': { target: 'ws://127.0.0.1:4180', ws: true } } },
}

export { config as default }
