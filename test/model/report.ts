/** Prints how many states each search sees, and what it finds: node --conditions=kiff-source test/model/report.ts */
import { asTheCodeHasIt } from './rules.ts'
import { search } from './search.ts'
import { sizes } from './sizes.ts'

for (const [name, size] of Object.entries(sizes)) {
  const { states, steps, excused, broken } = search(size, asTheCodeHasIt)
  console.log(`${String(states).padStart(8)} states ${String(steps).padStart(9)} steps ${String(excused).padStart(7)} with two effects by a person's error   ${name}${broken === null ? '' : `\n  BROKEN: ${broken.property}\n    ${broken.way.join('\n    ')}`}`)
}
