// Runs the sources unbuilt, where Node can; says what to do where it cannot. Plain JavaScript, so that an old Node can read it.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(`Node ${process.versions.node} is too old: install Node 22.22 or newer (on Linux, "npm ci" in this folder brings one).`)
  process.exit(1)
}
await import('./main.ts')
