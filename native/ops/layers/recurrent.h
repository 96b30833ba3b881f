// The engine under LSTM, GRU and plain recurrent nets: layers, directions, packed sequences. What a cell's two matrix
// products are made of is the caller's: floats, or quantized weights.
#pragma once

#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "tensor/tensor.h"

namespace threadwheel {

enum class CellKind { kLstm, kGru, kTanh, kRelu };

// Number of blocks of `hidden` columns that a cell's products have.
inline std::int64_t num_gates(CellKind kind) { return kind == CellKind::kLstm ? 4 : kind == CellKind::kGru ? 3 : 1; }

// The weights of one direction of one layer.
class Cell {
 public:
  virtual ~Cell() = default;

  // data: [rows, input] -> [rows, gates * hidden], biases included.
  virtual Tensor input_gates(const Tensor& data) const = 0;

  // state: [rows, output] -> out: [rows, gates * hidden], contiguous; out + product where `add`.
  virtual void hidden_gates(const Tensor& state, bool add, const Tensor& out) const = 0;

  // The projection of an LSTM's output, [rows, hidden] -> [rows, output]; undefined: there is none.
  virtual Tensor project(const Tensor&) const { return {}; }
};

// Rows of a sequence in time order: step t has the first batch_sizes[t] rows, which never grow.
struct Sequence {
  Tensor data;  // [sum of batch_sizes, features], contiguous
  std::vector<std::int64_t> batch_sizes;
};

struct RecurrentResult {
  Tensor data;       // [rows, directions * output]
  Tensor state;      // [layers * directions, batch, output]
  Tensor cell_state;  // of an LSTM: [layers * directions, batch, hidden]
};

// cells: one per layer and direction. state, cell_state: the initial ones, of the shapes above.
RecurrentResult run_layers(CellKind kind, std::span<const std::unique_ptr<Cell>> cells, bool bidirectional,
                           const Sequence& sequence, const Tensor& state, const Tensor& cell_state);

// A padded batch, [length, batch, features] or batch first, as a sequence, and back.
Sequence from_padded(const Tensor& input, bool batch_first);
Tensor to_padded(const Tensor& data, std::int64_t length, std::int64_t batch, bool batch_first);

// The rows of data as a sequence. Throws Error(kValue) unless batch_sizes are as above.
Sequence from_packed(const char* op, const Tensor& data, const Tensor& batch_sizes);

// One step: gates and the old states, [rows, hidden] each, to new states. `hidden_gates` is for a GRU, whose sums stay
// apart; `cell_state` is an LSTM's and is replaced.
void step(CellKind kind, const Tensor& gates, const Tensor& hidden_gates, const Tensor& state, const Tensor& cell_state,
          const Tensor& new_state);

}  // namespace threadwheel
