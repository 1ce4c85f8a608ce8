// What commands that read pictures may be told of them.

import { type Command, Option } from 'commander'
import { LAYOUTS, type Layout, type Normalization } from '../data/codes.js'
import { FITS, type Fit } from '../data/resize.js'
import type { Model } from '../session/model.js'
import { numberList } from './options.js'

export interface PictureOptions {
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
  readonly layout?: Layout
  readonly fit: Fit
}

export const PIXELS_HELP = `
Pixels become codes by the model's own normalisation if its metadata has one, or by --mean and --std;
otherwise a uint8 code is the pixel, an int8 code the pixel - 128, a float the pixel.`

export function addPictureOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--mean <a,b,c>', 'mean of the pixels, one number or one a channel').argParser(numberList),
    )
    .addOption(new Option('--std <a,b,c>', 'what pixels are divided by').argParser(numberList))
    .addOption(
      new Option('--layout <layout>', "order of the input's extents (default: found in its shape)").choices(
        LAYOUTS,
      ),
    )
    .addOption(
      new Option('--fit <fit>', 'how other aspect ratios fit the input').choices(FITS).default('stretch'),
    )
}

/** How pictures become input data: as the options say, else as the model's metadata does. */
export function pictureSettings(model: Model, { mean, std, layout, fit }: PictureOptions) {
  const own = model.metadata.normalization
  const normalization: Normalization | undefined = mean || std ? { mean: mean ?? [0], std: std ?? [1] } : own
  return { fit, ...(layout && { layout }), ...(normalization && { normalization }) }
}
