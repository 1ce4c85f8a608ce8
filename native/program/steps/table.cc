// The list of all kinds of steps: one line each. A program's StepRecord.kind is an index of this list.
#include "program/step.h"

namespace lowbit::program {

Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadCopy(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadDepthwise(StepArgs& args, std::unique_ptr<Step>* step);
Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step);

static constexpr StepKind kKinds[] = {
    {"conv", LoadConv},
    {"copy", LoadCopy},
    {"depthwise", LoadDepthwise},
    {"fullyConnected", LoadFullyConnected},
};

Span<const StepKind> StepKinds() { return {kKinds, sizeof kKinds / sizeof kKinds[0]}; }

}  // namespace lowbit::program
