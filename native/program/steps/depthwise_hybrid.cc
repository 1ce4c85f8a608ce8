// Depthwise convolution of hybrid layers (float32 quantised at run time, int8 weights): loops that the
// compiler vectorises.
#include <cstring>
#include <vector>

#include "program/steps/common.h"
#include "program/steps/depthwise_kinds.h"
#include "program/steps/gemm_families.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {

namespace {

class Hybrid final : public Step {
 public:
  void Run(const RunContext& run) const noexcept override {
    const float* input = input_.In<float>(run);
    const int8_t* weights = weights_.In<int8_t>(run);
    float* output = output_.Out<float>(run);
    int8_t* codes = reinterpret_cast<int8_t*>(run.scratch);
    for (size_t b = 0; b < window_.batch; ++b) {
      float scale;
      int32_t zero_point;
      QuantizeRowAsymmetric(input + b * image_size(), image_size(), codes, &scale, &zero_point);
      EachPixel(run, [&](size_t oy, size_t ox, int slot) {
        int32_t* acc = reinterpret_cast<int32_t*>(run.scratch + codes_bytes() +
                                                  static_cast<size_t>(slot) * sums_bytes());
        std::memset(acc, 0, channels() * sizeof(int32_t));
        AddCodes(codes, oy, ox, weights, zero_point, acc);
        float* out = output + ((b * window_.out_h + oy) * window_.out_w + ox) * channels();
        for (size_t c = 0; c < channels(); ++c) {
          const float real = static_cast<float>(acc[c]) * (weight_scale_[c] * scale) + bias_[c];
          out[c] = real < low_ ? low_ : real > high_ ? high_ : real;
        }
      });
    }
  }
  uint64_t scratch_bytes(int threads) const override {
    return codes_bytes() + static_cast<size_t>(threads) * sums_bytes();
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier) {
    window_ = window;
    multiplier_ = multiplier;
    kernel_ = "depthwise.s8f32.scalar";
    LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels(), &bias_));
    LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &low_, &high_));
    Span<const float> scale;
    LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", channels(), &scale));
    weight_scale_.assign(scale.begin(), scale.end());
    packed_bytes_ = 2 * channels() * sizeof(float);
    input_ = args.Bind(args.input(0));
    weights_ = args.Bind(args.input(1));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  size_t channels() const { return window_.channels * multiplier_; }
  size_t image_size() const { return window_.in_h * window_.in_w * window_.channels; }

  // Calls pixel(oy, ox, slot) for all output pixels of an image.
  template <typename Pixel>
  void EachPixel(const RunContext& run, const Pixel& pixel) const {
    constexpr size_t kParallelMacs = 400 * 1000;
    const size_t row_macs = window_.out_w * channels() * static_cast<size_t>(window_.filter_h) *
                            static_cast<size_t>(window_.filter_w);
    const auto row = [&](size_t oy, int slot) {
      for (size_t ox = 0; ox < window_.out_w; ++ox) pixel(oy, ox, slot);
    };
    if (run.threads > 1 && window_.out_h * row_macs >= kParallelMacs) {
      run.pool->For(window_.out_h, run.threads, row);
    } else {
      for (size_t oy = 0; oy < window_.out_h; ++oy) row(oy, 0);
    }
  }

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
  size_t codes_bytes() const { return DivideUp(image_size(), 64) * 64; }
  size_t sums_bytes() const { return DivideUp(channels() * sizeof(int32_t), 64) * 64; }

  Window window_{};
  size_t multiplier_ = 1;
  std::vector<float> bias_, weight_scale_;
  float low_ = 0, high_ = 0;
  Operand input_, weights_, output_;
};

}  // namespace

Status LoadHybridDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                           std::unique_ptr<Step>* step) {
  auto layer = std::make_unique<Hybrid>();
  LOWBIT_RETURN_IF_ERROR(layer->Load(args, window, multiplier));
  *step = std::move(layer);
  return Status();
}

}  // namespace lowbit::program::steps
