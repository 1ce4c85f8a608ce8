// Globs on names: `*` is any text, `?` any one character, `{a,b}` one of several texts. Slashes are ordinary characters.

const SPECIAL = /[.+^$()|[\]\\]/

/** Whether a glob means the whole of a name. Braces without an end, and those within braces, are ordinary characters. */
export function globMatcher(glob: string): (name: string) => boolean {
  let source = ''
  for (let i = 0; i < glob.length; i++) {
    const end = glob[i] === '{' ? glob.indexOf('}', i) : -1
    if (end > 0) {
      source += `(?:${glob
        .slice(i + 1, end)
        .split(',')
        .map(withoutBraces)
        .join('|')})`
      i = end
    } else {
      source += character(glob[i] as string)
    }
  }
  const pattern = new RegExp(`^${source}$`, 's')
  return (name) => pattern.test(name)
}

function withoutBraces(text: string): string {
  return [...text].map(character).join('')
}

function character(one: string): string {
  if (one === '*') return '.*'
  if (one === '?') return '.'
  return SPECIAL.test(one) || one === '{' || one === '}' ? `\\${one}` : one
}
