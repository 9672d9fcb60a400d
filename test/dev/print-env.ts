/** A child for the tests: prints what it sees, then stays; with `deaf` it does not hear SIGTERM, with `fail` it ends. */
console.log(JSON.stringify({ env: process.env, execArgv: process.execArgv, args: process.argv.slice(2) }))
if (process.argv.includes('fail')) {
  console.error('the reason it failed')
  process.exitCode = 3
} else {
  process.on('SIGTERM', () => {
    if (!process.argv.includes('deaf')) process.exit(0)
  })
  console.log('ready now')
  setInterval(() => {}, 60_000)
}
