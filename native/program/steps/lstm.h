// What the LSTM steps share: sizes, operands, and the contract between the loader and the two arithmetics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "program/steps/recurrent.h"

namespace lowbit::program::steps {

// Input, forget, cell and output gate. Without the input gate ("CIFG") it is one less the forget gate.
enum Gate { kInputGate, kForgetGate, kCellGate, kOutputGate, kGates };

struct LstmShape {
  Sequence sequence;
  size_t inputs, outputs, cells;
  bool has_input_gate, has_peephole, has_projection, has_norm;
};

// Operands by their places in the file's operator: 0 input, 1 to 4 input weights of the gates, 5 to 8
// recurrent weights, 9 to 11 peephole weights (input, forget, output), 12 to 15 biases, 16 and 17 projection
// weights and bias, 18 output state, 19 cell state, 20 to 23 factors of the layer normalisation of each gate,
// whose bias is then added after it.
constexpr int kLstmInputs = 24;

// The arithmetics; called with operands that fit the shape, and of which weights and biases are constants.
Status LoadRealLstm(StepArgs& args, const LstmShape& shape, std::unique_ptr<Step>* step);
Status LoadIntegerLstm(StepArgs& args, const LstmShape& shape, std::unique_ptr<Step>* step);

}  // namespace lowbit::program::steps
