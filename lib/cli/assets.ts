// What ships in the package, and where: the one place that knows these names.

import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** The model, labels and picture of a `lowbit run` without arguments. */
export const SHIPPED = {
  model: fromRoot('assets/cifar10.tflite'),
  labels: fromRoot('assets/cifar10.labels.txt'),
  picture: fromRoot('assets/ship.ppm'),
}

/** Whether a path, as a user may give it, is the shipped model's. */
export function isShippedModel(path: string): boolean {
  return resolve(path) === SHIPPED.model
}

/** How results name a file: as the user gave it, a shipped one by its bare name. */
export function shownName(path: string): string {
  return Object.values(SHIPPED).includes(path) ? basename(path) : path
}

/** The package's own version. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string }).version
}
