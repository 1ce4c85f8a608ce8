// Finds the innermost loops of the multiplying kernels in their objects (objdump) and fails where one touches the
// stack: a register that is spilled in such a loop halves its speed, and no test of results would notice.
// Needs a build and binutils: node tools/check-loops.mjs [build folder]
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FAMILIES = /^(gemm|gemv|depthwise|winograd)/
const ISAS = ['avx2', 'avxvnni', 'avx512vnni']
/** What makes a loop one of those that count. */
const PRODUCTS = /^(vpdpbusd|vpdpwssd|vpmaddwd|vpmaddubsw|vfmadd\w+p[sd])$/

/** Loops that may touch the stack: object, pattern of the function, the most accesses, and why. */
const COLUMNS =
  'a pixel has its epilogue in the loop: columns, weights and constants are more than 16 registers'
const WIDE = 'a pixel has its epilogue in the loop: pointers and edges, and constants with stride 2'
const TAPS = 'up to 25 weights besides the sums are more than the registers: products read them from memory'
const EXCEPTIONS = [
  { object: 'depthwise_rows/avx2', function: /<5>, 5/, most: 170, why: COLUMNS },
  { object: 'depthwise_rows/avx2', function: /<3>, 3|TwoLines/, most: 50, why: COLUMNS },
  { object: 'depthwise_rows/avxvnni', function: /<5>, 5/, most: 105, why: COLUMNS },
  { object: 'depthwise_rows/avxvnni', function: /<3>, 3|TwoLines/, most: 35, why: COLUMNS },
  { object: 'depthwise_rows/avx512vnni', function: /Run16</, most: 20, why: WIDE },
  { object: 'depthwise_rows_f32/avx2', function: /Walk<.*, [35], [12]>/, most: 25, why: TAPS },
  { object: 'depthwise_rows_f32/avx512vnni', function: /Walk<.*, 5, [12]>/, most: 6, why: TAPS },
  {
    object: 'winograd/avx512vnni',
    function: /MultiplyTile<8>/,
    most: 2,
    why: 'reads of two of ten row distances',
  },
]

/** `   1a0:\tjne    180 <f+0x20>`: address, mnemonic, operands. A name in brackets says nothing that we need. */
function instructionOf(line) {
  const [, at, mnemonic, operands] =
    /^ *([0-9a-f]+):\t(?:(?:rep|lock|bnd|data16|notrack|\{vex\}|\{evex\}) +)*(\S+) *(.*)$/.exec(line) ?? []
  return at && { at: Number.parseInt(at, 16), mnemonic, operands: operands.replace(/<.*$/, '') }
}

function functionsOf(listing) {
  const functions = []
  for (const line of listing.split('\n')) {
    const [, name] = /^[0-9a-f]+ <(.*)>:$/.exec(line) ?? []
    if (name) functions.push({ name, code: [] })
    const instruction = instructionOf(line)
    if (instruction) functions.at(-1).code.push(instruction)
  }
  return functions
}

/** Straight pieces of code, each with the pieces that may follow it (by index). */
function blocksOf(code) {
  const index = new Map(code.map(({ at }, i) => [at, i]))
  const target = ({ mnemonic, operands }) =>
    mnemonic.startsWith('j') ? index.get(Number.parseInt(operands, 16)) : undefined
  const ends = ({ mnemonic }) => /^(j|ret)/.test(mnemonic)
  const starts = new Set([0])
  code.forEach((one, i) => {
    if (!ends(one)) return
    starts.add(i + 1)
    if (target(one) !== undefined) starts.add(target(one))
  })
  starts.delete(code.length)
  const sorted = [...starts].sort((a, b) => a - b)
  const blockAt = new Map(sorted.map((start, block) => [start, block]))
  return sorted.map((start, block) => {
    const body = code.slice(start, sorted[block + 1] ?? code.length)
    const last = body.at(-1)
    const next = [blockAt.get(target(last))]
    if (!/^(jmp|ret)/.test(last.mnemonic)) next.push(blockAt.get(start + body.length))
    return { body, next: next.filter((one) => one !== undefined) }
  })
}

/** Jumps through tables, whose targets the code does not show, lead to the blocks that no other way leads to. */
function withTables(blocks) {
  const isTable = ({ mnemonic, operands }) => mnemonic === 'jmp' && operands.startsWith('*')
  const tables = blocks.filter(({ body }) => isTable(body.at(-1)))
  const reached = new Set()
  const reach = (from) => {
    const open = [from]
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (!reached.has(one)) open.push(...blocks[one].next)
      reached.add(one)
    }
  }
  reach(0)
  for (let block = 1; block < blocks.length; ++block) {
    if (reached.has(block)) continue
    for (const { next } of tables) next.push(block)
    reach(block)
  }
  return blocks
}

function precedingOf(blocks) {
  const preceding = blocks.map(() => [])
  blocks.forEach(({ next }, block) => {
    for (const one of next) preceding[one].push(block)
  })
  return preceding
}

/** For every block those that each way to it passes (itself among them); null where there is no way. */
function dominatorsOf(blocks, preceding) {
  const passed = blocks.map(() => null)
  passed[0] = new Set([0])
  for (let changed = true; changed; ) {
    changed = false
    for (let block = 1; block < blocks.length; ++block) {
      const [first, ...rest] = preceding[block].map((one) => passed[one]).filter((one) => one !== null)
      if (first === undefined) continue
      const common = new Set([...first].filter((one) => rest.every((other) => other.has(one)))).add(block)
      if (passed[block]?.size === common.size) continue
      passed[block] = common
      changed = true
    }
  }
  return passed
}

/** The natural loops that hold no other one, as lists of instructions. */
function innermostLoops(code) {
  const blocks = withTables(blocksOf(code))
  const preceding = precedingOf(blocks)
  const dominators = dominatorsOf(blocks, preceding)
  const loops = new Map() // by the block that every turn begins with
  blocks.forEach(({ next }, block) => {
    for (const head of next.filter((one) => dominators[block]?.has(one))) {
      const body = loops.get(head) ?? new Set([head])
      loops.set(head, body)
      const open = [block]
      for (let one = open.pop(); one !== undefined; one = open.pop()) {
        if (body.has(one)) continue
        body.add(one)
        open.push(...preceding[one])
      }
    }
  })
  const holdsAnother = (head, body) => [...body].some((one) => one !== head && loops.has(one))
  return [...loops]
    .filter(([head, body]) => !holdsAnother(head, body))
    .map(([, body]) => [...body].sort((a, b) => a - b).flatMap((one) => blocks[one].body))
}

/** Loops of products in a listing of `objdump -d -C --no-show-raw-insn`, each with what it does to the stack. */
export function loopsOf(listing) {
  return functionsOf(listing).flatMap(({ name, code }) => {
    const framed = code.some(
      ({ mnemonic, operands }) => mnemonic === 'mov' && operands.startsWith('%rsp,%rbp'),
    )
    const stack = framed ? /\(%r[sb]p[,)]/ : /\(%rsp[,)]/
    return innermostLoops(code)
      .filter((body) => body.some(({ mnemonic }) => PRODUCTS.test(mnemonic)))
      .map((body) => ({
        name,
        from: body[0].at,
        products: body.filter(({ mnemonic }) => PRODUCTS.test(mnemonic)).length,
        accesses: body.filter(({ operands }) => stack.test(operands)).length,
      }))
  })
}

/** Readable names of templates: no namespaces, no parameters. */
const short = (name) =>
  name
    .replaceAll(/lowbit::kernels::|\(anonymous namespace\)::/g, '')
    .replace(/\(.*$/, '')
    .slice(0, 100)

/** What is wrong with the loops of one object, a line each; `used` collects the exceptions that were needed. */
export function complaintsOf(object, loops, exceptions, used = new Set()) {
  return loops.flatMap(({ name, from, products, accesses }) => {
    if (accesses === 0) return []
    const excuse = exceptions.find(
      (one) => one.object === object && one.function.test(name) && accesses <= one.most,
    )
    if (excuse) used.add(excuse)
    const where = `${object}: ${short(name)} at ${from.toString(16)}`
    return excuse ? [] : [`${where}: ${accesses} stack accesses beside ${products} products`]
  })
}

function main(build) {
  const kernels = join(build, 'CMakeFiles/lowbit_core.dir/native/kernels')
  const complaints = []
  const used = new Set()
  let objects = 0
  let loops = 0
  for (const family of readdirSync(kernels)
    .filter((name) => FAMILIES.test(name))
    .sort()) {
    for (const isa of ISAS) {
      const path = join(kernels, family, `${isa}.cc.o`)
      if (!existsSync(path)) continue
      const options = ['-d', '-C', '--no-show-raw-insn', path]
      const found = loopsOf(execFileSync('objdump', options, { encoding: 'utf8', maxBuffer: 1 << 28 }))
      if (found.length === 0) complaints.push(`${family}/${isa}: no loop of products was found`)
      complaints.push(...complaintsOf(`${family}/${isa}`, found, EXCEPTIONS, used))
      objects += 1
      loops += found.length
    }
  }
  if (objects === 0) complaints.push(`${kernels} holds no objects of these kernels`)
  for (const one of EXCEPTIONS.filter((each) => !used.has(each)))
    complaints.push(`${one.object}: the exception for ${one.function} is no longer needed`)
  for (const line of complaints) console.error(line)
  console.log(`${loops} loops of ${objects} objects, ${complaints.length} complaints`)
  if (complaints.length > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2] ?? 'build')
