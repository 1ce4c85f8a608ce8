// Depthwise convolution of the families that have no kernel of their own yet: loops that the compiler
// vectorises.
#include "program/steps/depthwise_plain.h"

#include <cstring>

#include "kernels/requantize/wide.h"
#include "program/steps/common.h"
#include "program/steps/gemm_families.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {

namespace {

// Adds the products of one output pixel to acc, one entry an output channel.
template <typename Source, typename Weight, typename Sum>
void AddTaps(const Window& w, size_t multiplier, const Source* image, size_t oy, size_t ox,
             const Weight* weights, int32_t zero_point, Sum* acc) {
  const size_t channels = w.channels * multiplier;
  for (int ky = 0; ky < w.filter_h; ++ky) {
    const ptrdiff_t row = w.InputRow(oy, ky);
    if (!w.HasRow(row)) continue;
    for (int kx = 0; kx < w.filter_w; ++kx) {
      const ptrdiff_t column = w.InputColumn(ox, kx);
      if (!w.HasColumn(column)) continue;
      const Source* pixel =
          image + (static_cast<size_t>(row) * w.in_w + static_cast<size_t>(column)) * w.channels;
      const Weight* tap =
          weights +
          (static_cast<size_t>(ky) * static_cast<size_t>(w.filter_w) + static_cast<size_t>(kx)) * channels;
      if (multiplier == 1) {
        for (size_t c = 0; c < channels; ++c) {
          acc[c] += static_cast<Sum>(pixel[c] - static_cast<Source>(zero_point)) * static_cast<Sum>(tap[c]);
        }
      } else {
        for (size_t c = 0; c < channels; ++c) {
          acc[c] += static_cast<Sum>(pixel[c / multiplier] - static_cast<Source>(zero_point)) *
                    static_cast<Sum>(tap[c]);
        }
      }
    }
  }
}

class Base : public Step {
 public:
  Base(const Window& window, size_t multiplier, const char* name) : window_(window), multiplier_(multiplier) {
    kernel_ = name;
  }
  size_t channels() const { return window_.channels * multiplier_; }

  void Finish(StepArgs& args, size_t more_bytes) {
    input_ = args.Bind(args.input(0));
    weights_ = args.Bind(args.input(1));
    output_ = args.Bind(args.output(0));
    packed_bytes_ = more_bytes;
  }

 protected:
  size_t image_size() const { return window_.in_h * window_.in_w * window_.channels; }
  // Calls pixel(b, oy, ox, index of the output pixel, slot) for all output pixels of images [first, last).
  template <typename Pixel>
  void EachPixel(const RunContext& run, size_t first, size_t last, const Pixel& pixel) const {
    const size_t rows = (last - first) * window_.out_h;
    const size_t row_macs = window_.out_w * channels() * static_cast<size_t>(window_.filter_h) *
                            static_cast<size_t>(window_.filter_w);
    const auto row = [&](size_t i, int slot) {
      const size_t b = first + i / window_.out_h, oy = i % window_.out_h;
      for (size_t ox = 0; ox < window_.out_w; ++ox) {
        pixel(b, oy, ox, (b * window_.out_h + oy) * window_.out_w + ox, slot);
      }
    };
    if (run.threads > 1 && rows * row_macs >= 400 * 1000) {
      run.pool->For(rows, run.threads, row);
    } else {
      for (size_t i = 0; i < rows; ++i) row(i, 0);
    }
  }

  Window window_;
  size_t multiplier_;
  Operand input_, weights_, output_;
};

class Real final : public Base {
 public:
  using Base::Base;
  void Run(const RunContext& run) const noexcept override {
    const float *input = input_.In<float>(run), *weights = weights_.In<float>(run);
    float* output = output_.Out<float>(run);
    EachPixel(run, 0, window_.batch, [&](size_t b, size_t oy, size_t ox, size_t index, int) {
      float* out = output + index * channels();
      std::memset(out, 0, channels() * sizeof(float));
      AddTaps(window_, multiplier_, input + b * image_size(), oy, ox, weights, 0, out);
      for (size_t c = 0; c < channels(); ++c) {
        const float sum = out[c] + bias[c];
        out[c] = sum < low ? low : sum > high ? high : sum;
      }
    });
  }
  std::vector<float> bias;
  float low = 0, high = 0;
};

class Hybrid final : public Base {
 public:
  using Base::Base;
  void Run(const RunContext& run) const noexcept override {
    const float* input = input_.In<float>(run);
    const int8_t* weights = weights_.In<int8_t>(run);
    float* output = output_.Out<float>(run);
    int8_t* codes = reinterpret_cast<int8_t*>(run.scratch);
    for (size_t b = 0; b < window_.batch; ++b) {
      float scale;
      int32_t zero_point;
      QuantizeRowAsymmetric(input + b * image_size(), image_size(), codes, &scale, &zero_point);
      EachPixel(run, b, b + 1, [&](size_t, size_t oy, size_t ox, size_t index, int slot) {
        int32_t* acc = reinterpret_cast<int32_t*>(run.scratch + codes_bytes() +
                                                  static_cast<size_t>(slot) * sums_bytes());
        std::memset(acc, 0, channels() * sizeof(int32_t));
        AddCodes(codes, oy, ox, weights, zero_point, acc);
        float* out = output + index * channels();
        for (size_t c = 0; c < channels(); ++c) {
          const float real = static_cast<float>(acc[c]) * (weight_scale[c] * scale) + bias[c];
          out[c] = real < low ? low : real > high ? high : real;
        }
      });
    }
  }
  uint64_t scratch_bytes(int threads) const override {
    return codes_bytes() + static_cast<uint64_t>(threads) * sums_bytes();
  }
  std::vector<float> bias, weight_scale;
  float low = 0, high = 0;

 private:
  void AddCodes(const int8_t* codes, size_t oy, size_t ox, const int8_t* weights, int32_t zero_point,
                int32_t* acc) const {
    const Window& w = window_;
    for (int ky = 0; ky < w.filter_h; ++ky) {
      const ptrdiff_t row = w.InputRow(oy, ky);
      if (!w.HasRow(row)) continue;
      for (int kx = 0; kx < w.filter_w; ++kx) {
        const ptrdiff_t column = w.InputColumn(ox, kx);
        if (!w.HasColumn(column)) continue;
        const int8_t* pixel =
            codes + (static_cast<size_t>(row) * w.in_w + static_cast<size_t>(column)) * w.channels;
        const int8_t* tap =
            weights + (static_cast<size_t>(ky) * static_cast<size_t>(w.filter_w) + static_cast<size_t>(kx)) *
                          channels();
        for (size_t c = 0; c < channels(); ++c) acc[c] += (pixel[c / multiplier_] - zero_point) * tap[c];
      }
    }
  }
  uint64_t codes_bytes() const { return Aligned(image_size()); }
  uint64_t sums_bytes() const { return Aligned(uint64_t{channels()} * sizeof(int32_t)); }
};

class Wide final : public Base {
 public:
  using Base::Base;
  void Run(const RunContext& run) const noexcept override {
    const int16_t* input = input_.In<int16_t>(run);
    const int8_t* weights = weights_.In<int8_t>(run);
    int16_t* output = output_.Out<int16_t>(run);
    EachPixel(run, 0, window_.batch, [&](size_t b, size_t oy, size_t ox, size_t index, int slot) {
      int64_t* acc = reinterpret_cast<int64_t*>(run.scratch + static_cast<size_t>(slot) * sums_bytes());
      std::memset(acc, 0, channels() * sizeof(int64_t));
      AddTaps(window_, multiplier_, input + b * image_size(), oy, ox, weights, 0, acc);
      int16_t* out = output + index * channels();
      for (size_t c = 0; c < channels(); ++c) {
        const int32_t scaled =
            kernels::MultiplyWide(kernels::AddWide(acc[c], bias[c]), multiplier[c], shift[c]);
        out[c] = static_cast<int16_t>(scaled < low ? low : scaled > high ? high : scaled);
      }
    });
  }
  uint64_t scratch_bytes(int threads) const override { return static_cast<uint64_t>(threads) * sums_bytes(); }
  std::vector<int64_t> bias;
  std::vector<int32_t> multiplier, shift;
  int low = 0, high = 0;

 private:
  uint64_t sums_bytes() const { return Aligned(uint64_t{channels()} * sizeof(int64_t)); }
};

template <typename Layer>
Status Done(StepArgs& args, std::unique_ptr<Layer> layer, std::unique_ptr<Step>* step) {
  layer->Finish(args, layer->bias.size() * sizeof(layer->bias[0]));
  *step = std::move(layer);
  return Status();
}

}  // namespace

Status LoadPlainDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                          std::unique_ptr<Step>* step) {
  LayerKind kind;
  LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  const size_t channels = window.channels * multiplier;
  if (kind == LayerKind::kReal) {
    auto layer = std::make_unique<Real>(window, multiplier, "depthwise.f32.scalar");
    LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels, &layer->bias));
    LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &layer->low, &layer->high));
    return Done(args, std::move(layer), step);
  }
  if (kind == LayerKind::kHybrid) {
    auto layer = std::make_unique<Hybrid>(window, multiplier, "depthwise.s8f32.scalar");
    LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels, &layer->bias));
    LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &layer->low, &layer->high));
    Span<const float> scale;
    LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", channels, &scale));
    layer->weight_scale.assign(scale.begin(), scale.end());
    return Done(args, std::move(layer), step);
  }
  if (kind != LayerKind::kWide) return args.Fail(Code::kTypeMismatch, "no kernel takes these types");
  auto layer = std::make_unique<Wide>(window, multiplier, "depthwise.s16s8.scalar");
  LOWBIT_RETURN_IF_ERROR(args.Int("low", -32768, 32767, &layer->low));
  LOWBIT_RETURN_IF_ERROR(args.Int("high", layer->low, 32767, &layer->high));
  LOWBIT_RETURN_IF_ERROR(ReadWideFactors(args, channels, &layer->multiplier, &layer->shift));
  LOWBIT_RETURN_IF_ERROR(ReadWideBias(args, channels, &layer->bias));
  return Done(args, std::move(layer), step);
}

}  // namespace lowbit::program::steps
