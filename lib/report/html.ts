// HTML text: elements with escaped content.

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as content or as a quoted attribute. */
export function escaped(text: string | number): string {
  return String(text).replace(/[&<>"']/g, (one) => ESCAPES[one] as string)
}

/** A table; cells are HTML already. Columns that `isNumber` names are aligned right. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isNumber: readonly boolean[],
): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell, i) => `<${tag}${isNumber[i] ? ' class="n"' : ''}>${cell}</${tag}>`).join('')
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')
  return `<div class="wide"><table>\n<thead><tr>${cells('th', head)}</tr></thead>\n<tbody>\n${body}\n</tbody></table></div>`
}

export interface Page {
  readonly title: string
  readonly style: string
  /** HTML. */
  readonly body: string
}

/** A whole document. Browsers are told to load nothing and to run nothing. */
export function htmlPage({ title, style, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
<style>
${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}
