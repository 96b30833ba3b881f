// Recurrent nets. One product makes the input gates of all time steps; a step is one small product and one fused pass
// over the gates.
#include "ops/layers/recurrent.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "ops/families.h"
#include "ops/linalg/products.h"
#include "ops/shared/shapes.h"
#include "ops/shared/vector_math.h"
#include "providers/blas.h"
#include "providers/gemm_dnn.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using OptionalTensor = std::optional<Tensor>;

constexpr std::int64_t kGrain = 4096;  // hidden elements worth a thread

template <class T>
THREADWHEEL_INLINE T sigmoid(T x) {
  return T(1) / (T(1) + vector_math::exp(-x));
}

// Exact to one unit of 1, which is what a state of that size needs.
template <class T>
THREADWHEEL_INLINE T tanh(T x) {
  return T(1) - T(2) / (T(1) + vector_math::exp(T(2) * x));
}

template <class T>
THREADWHEEL_KERNEL void lstm_row(std::int64_t n, const T* gates, T* cell, T* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T next = sigmoid(gates[n + i]) * cell[i] + sigmoid(gates[i]) * tanh(gates[2 * n + i]);
    cell[i] = next;
    out[i] = sigmoid(gates[3 * n + i]) * tanh(next);
  }
}

template <class T>
THREADWHEEL_KERNEL void gru_row(std::int64_t n, const T* gates, const T* hidden, const T* state, T* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T reset = sigmoid(gates[i] + hidden[i]), keep = sigmoid(gates[n + i] + hidden[n + i]);
    const T fresh = tanh(gates[2 * n + i] + reset * hidden[2 * n + i]);
    out[i] = (state[i] - fresh) * keep + fresh;
  }
}

template <class T>
THREADWHEEL_KERNEL void plain_row(std::int64_t n, const T* gates, bool relu, T* out) {
  if (relu) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = gates[i] < T(0) ? T(0) : gates[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i] = tanh(gates[i]);
  }
}

// The rows of one layer and direction, from the first step to the last or backwards.
class LayerRun {
 public:
  LayerRun(CellKind kind, const Cell& cell, const Sequence& sequence, const Tensor& state, const Tensor& cell_state)
      : kind_(kind), cell_(cell), sequence_(sequence), state_(copy_of(state)),
        cell_state_(kind == CellKind::kLstm ? copy_of(cell_state) : Tensor()),
        gates_(cell.input_gates(sequence.data)) {
    const std::int64_t rows = sequence.data.size(0);
    out_ = Tensor::empty(Dims{rows, state.size(1)}, state.dtype());
    if (kind == CellKind::kGru) hidden_ = Tensor::empty(Dims{state.size(0), gates_.size(1)}, state.dtype());
  }

  void run(bool backwards) {
    const auto steps = static_cast<std::int64_t>(sequence_.batch_sizes.size());
    std::int64_t first = backwards ? sequence_.data.size(0) : 0;
    for (std::int64_t i = 0; i < steps; ++i) {
      const std::int64_t rows = sequence_.batch_sizes[static_cast<std::size_t>(backwards ? steps - 1 - i : i)];
      if (backwards) first -= rows;
      run_step(first, rows);
      if (!backwards) first += rows;
    }
  }

  const Tensor& out() const { return out_; }
  const Tensor& state() const { return state_; }
  const Tensor& cell_state() const { return cell_state_; }

 private:
  // Rows whose sequence has ended, or begins later, keep their state.
  void run_step(std::int64_t first, std::int64_t rows) {
    const Tensor gates = narrow_view(gates_, 0, first, rows), state = narrow_view(state_, 0, 0, rows);
    const Tensor out = narrow_view(out_, 0, first, rows);
    const bool gru = kind_ == CellKind::kGru;
    const Tensor hidden = gru ? narrow_view(hidden_, 0, 0, rows) : gates;
    cell_.hidden_gates(state, !gru, hidden);
    const Tensor cell_state = cell_state_.defined() ? narrow_view(cell_state_, 0, 0, rows) : Tensor();
    const std::int64_t hidden_size = gates.size(1) / num_gates(kind_);
    if (hidden_size == out.size(1)) {
      step(kind_, gates, hidden, state, cell_state, out);
    } else {
      const Tensor wide = Tensor::empty(Dims{rows, hidden_size}, out.dtype());
      step(kind_, gates, hidden, state, cell_state, wide);
      copy_into(out, cell_.project(wide), "lstm");
    }
    copy_into(state, out, "lstm");
  }

  CellKind kind_;
  const Cell& cell_;
  const Sequence& sequence_;
  Tensor state_, cell_state_, gates_, hidden_, out_;
};

// Places `parts` side by side along the last dimension of a matrix.
Tensor side_by_side(std::span<const Tensor> parts) {
  if (parts.size() == 1) return parts[0];
  std::int64_t columns = 0;
  for (const Tensor& part : parts) columns += part.size(1);
  Tensor out = Tensor::empty(Dims{parts[0].size(0), columns}, parts[0].dtype());
  std::int64_t first = 0;
  for (const Tensor& part : parts) {
    copy_into(narrow_view(out, 1, first, part.size(1)), part, "cat");
    first += part.size(1);
  }
  return out;
}

}  // namespace

void step(CellKind kind, const Tensor& gates, const Tensor& hidden_gates, const Tensor& state, const Tensor& cell_state,
          const Tensor& new_state) {
  const std::int64_t n = new_state.size(1), width = gates.size(1);
  visit_dtype(FloatingTypes(), gates.dtype(), "recurrent net", [&]<class T>() {
    parallel_for(0, new_state.size(0), std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, n)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row) {
                     const T* in = gates.data<const T>() + row * width;
                     T* const out = new_state.data<T>() + row * n;
                     if (kind == CellKind::kLstm) {
                       lstm_row(n, in, cell_state.data<T>() + row * n, out);
                     } else if (kind == CellKind::kGru) {
                       gru_row(n, in, hidden_gates.data<const T>() + row * width, state.data<const T>() + row * n, out);
                     } else {
                       plain_row(n, in, kind == CellKind::kRelu, out);
                     }
                   }
                 });
  });
}

RecurrentResult run_layers(CellKind kind, std::span<const std::unique_ptr<Cell>> cells, bool bidirectional,
                           const Sequence& sequence, const Tensor& state, const Tensor& cell_state) {
  const std::size_t directions = bidirectional ? 2 : 1;
  RecurrentResult result;
  result.state = Tensor::empty(state.sizes(), state.dtype());
  if (kind == CellKind::kLstm) result.cell_state = Tensor::empty(cell_state.sizes(), cell_state.dtype());
  Sequence current = sequence;
  for (std::size_t first = 0; first < cells.size(); first += directions) {
    std::vector<Tensor> outputs;
    for (std::size_t i = first; i < first + directions; ++i) {
      const auto index = static_cast<std::int64_t>(i);
      const Tensor initial = kind == CellKind::kLstm ? select_view(cell_state, 0, index) : Tensor();
      LayerRun run(kind, *cells[i], current, select_view(state, 0, index), initial);
      run.run(i > first);
      outputs.push_back(run.out());
      copy_into(select_view(result.state, 0, index), run.state(), "recurrent net");
      if (kind == CellKind::kLstm)
        copy_into(select_view(result.cell_state, 0, index), run.cell_state(), "recurrent net");
    }
    current.data = side_by_side(outputs);
  }
  result.data = current.data;
  return result;
}

Sequence from_padded(const Tensor& input, bool batch_first) {
  const Tensor by_time = batch_first ? transpose_view(input, 0, 1) : input;
  const std::int64_t length = by_time.size(0), batch = by_time.size(1);
  return {reshaped(by_time, Dims{length * batch, by_time.size(2)}),
          std::vector<std::int64_t>(static_cast<std::size_t>(length), batch)};
}

Tensor to_padded(const Tensor& data, std::int64_t length, std::int64_t batch, bool batch_first) {
  const Tensor by_time = reshaped(data, Dims{length, batch, data.size(1)});
  return batch_first ? transpose_view(by_time, 0, 1) : by_time;
}

Sequence from_packed(const char* op, const Tensor& data, const Tensor& batch_sizes) {
  if (batch_sizes.dim() != 1 || batch_sizes.dtype() != DType::kInt64 || batch_sizes.size(0) < 1)
    fail_value(std::string(op) + ": " + describe("batch_sizes", batch_sizes) + ", " + dtype_name(batch_sizes.dtype()) +
               "; expected a vector of int64, not empty");
  const Tensor dense = batch_sizes.contiguous();
  Sequence sequence{data.contiguous(),
                    {dense.data<const std::int64_t>(), dense.data<const std::int64_t>() + dense.numel()}};
  std::int64_t total = 0;
  for (std::size_t i = 0; i < sequence.batch_sizes.size(); ++i) {
    const std::int64_t size = sequence.batch_sizes[i];
    if (size < 1 || size > data.size(0) || (i > 0 && size > sequence.batch_sizes[i - 1]))
      fail_value(std::string(op) + ": batch_sizes are " + to_string(sequence.batch_sizes) +
                 "; expected positive numbers that never grow");
    total += size;
  }
  if (data.dim() < 1 || total != data.size(0))
    fail_value(std::string(op) + ": " + describe("data", data) + " and the batch sizes sum to " +
               std::to_string(total) + "; expected as many rows");
  return sequence;
}

namespace {

// Weights in floats. A GRU's biases stay apart, because the reset gate is between them.
class FloatCell final : public Cell {
 public:
  FloatCell(CellKind kind, const Tensor& w_ih, const Tensor& w_hh, const OptionalTensor& b_ih,
            const OptionalTensor& b_hh, Tensor w_hr)
      : w_ih_(w_ih), w_hh_(w_hh.contiguous()), w_hr_(std::move(w_hr)), b_ih_(b_ih) {
    if (!b_hh) return;
    if (kind == CellKind::kGru) {
      b_hh_ = *b_hh;
    } else {
      b_ih_ = elementwise(FloatingTypes(), {.op = "recurrent net"}, {*b_ih, *b_hh}, nullptr,
                          []<class T>() { return Sum(); });
    }
  }

  Tensor input_gates(const Tensor& data) const override { return linear(data, w_ih_, b_ih_); }

  void hidden_gates(const Tensor& state, bool add, const Tensor& out) const override {
    if (b_hh_) copy_into(out, *b_hh_, "recurrent net");
    visit_dtype(FloatingTypes(), out.dtype(), "recurrent net", [&]<class T>() {
      const std::int64_t n = w_hh_.size(0), k = w_hh_.size(1);
      if (state.size(0) == 1)  // the sum goes where its operand is
        return gemm_dnn::linear({1, k, n}, state.data<const T>(), w_hh_.data<const T>(),
                                add || b_hh_ ? out.data<const T>() : nullptr, out.data<T>());
      blas::gemm(state.size(0), n, k, blas::Matrix<const T>{state.data<const T>(), k},
                 blas::Matrix<const T>{w_hh_.data<const T>(), k, true}, add || b_hh_ ? T(1) : T(0),
                 blas::Matrix<T>{out.data<T>(), n});
    });
  }

  Tensor project(const Tensor& wide) const override { return linear(wide, w_hr_, std::nullopt); }

 private:
  struct Sum {
    template <class T>
    THREADWHEEL_INLINE T operator()(T x, T y) const {
      return x + y;
    }
  };

  Tensor w_ih_, w_hh_, w_hr_;
  OptionalTensor b_ih_, b_hh_;
};

// Sizes of everything that a cell reads without looking.
void check_cell(const char* op, CellKind kind, std::int64_t features, std::int64_t output, const Tensor& w_ih,
                const Tensor& w_hh, const OptionalTensor& b_ih, const OptionalTensor& b_hh, const Tensor& w_hr) {
  const auto expect = [&](const char* name, const Tensor& tensor, std::initializer_list<std::int64_t> sizes) {
    if (!std::ranges::equal(tensor.sizes(), sizes) || tensor.dtype() != w_ih.dtype())
      fail_value(std::string(op) + ": " + describe(name, tensor) + ", " + dtype_name(tensor.dtype()) + "; expected " +
                 to_string(std::span(sizes.begin(), sizes.size())) + ", " + dtype_name(w_ih.dtype()));
  };
  const std::int64_t gates = w_ih.dim() == 2 ? w_ih.size(0) : 0;
  const std::int64_t hidden = gates / num_gates(kind);
  if (hidden < 1 || gates % num_gates(kind) != 0)
    fail_value(std::string(op) + ": " + describe("w_ih", w_ih) + "; expected [" + std::to_string(num_gates(kind)) +
               " * hidden_size, input_size]");
  expect("w_ih", w_ih, {gates, features});
  expect("w_hh", w_hh, {gates, output});
  if (b_ih) expect("b_ih", *b_ih, {gates});
  if (b_hh) expect("b_hh", *b_hh, {gates});
  if (w_hr.defined()) {
    expect("w_hr", w_hr, {output, hidden});
  } else if (hidden != output) {
    fail_value(std::string(op) + ": the state has " + std::to_string(output) + " columns; expected " +
               std::to_string(hidden));
  }
}

// What lstm, gru and the plain nets are called with, beside the input.
struct Call {
  const char* op;
  CellKind kind;
  std::span<const Tensor> params;
  bool has_biases;
  std::int64_t num_layers;
  double dropout;
  bool train, bidirectional;
};

std::vector<std::unique_ptr<Cell>> read_cells(const Call& call, std::int64_t features, std::int64_t output,
                                              bool projected) {
  const std::size_t directions = call.bidirectional ? 2 : 1, per_cell = (call.has_biases ? 4 : 2) + (projected ? 1 : 0);
  if (call.num_layers < 1 || call.params.size() != static_cast<std::size_t>(call.num_layers) * directions * per_cell)
    fail_value(std::string(call.op) + ": there are " + std::to_string(call.params.size()) + " weights for " +
               std::to_string(call.num_layers) + " layers; expected " + std::to_string(per_cell) +
               " for each layer and direction");
  std::vector<std::unique_ptr<Cell>> cells;
  for (std::size_t i = 0; i < call.params.size(); i += per_cell) {
    const auto weight = call.params.subspan(i, per_cell);
    const OptionalTensor b_ih = call.has_biases ? OptionalTensor(weight[2]) : std::nullopt;
    const OptionalTensor b_hh = call.has_biases ? OptionalTensor(weight[3]) : std::nullopt;
    const Tensor w_hr = projected ? weight[per_cell - 1] : Tensor();
    const bool first = cells.size() < directions;
    check_cell(call.op, call.kind, first ? features : output * static_cast<std::int64_t>(directions), output, weight[0],
               weight[1], b_ih, b_hh, w_hr);
    cells.push_back(std::make_unique<FloatCell>(call.kind, weight[0], weight[1], b_ih, b_hh, w_hr));
  }
  return cells;
}

void check_state(const Call& call, const char* name, const Tensor& state, const Tensor& data, std::int64_t batch) {
  const std::int64_t count = call.num_layers * (call.bidirectional ? 2 : 1);
  if (state.dim() != 3 || state.size(0) != count || state.size(1) != batch || state.dtype() != data.dtype())
    fail_value(std::string(call.op) + ": " + describe(name, state) + ", " + dtype_name(state.dtype()) + "; expected [" +
               std::to_string(count) + ", " + std::to_string(batch) + ", hidden_size], " + dtype_name(data.dtype()));
}

RecurrentResult run(const Call& call, const Sequence& sequence, std::int64_t batch, std::span<const Tensor> hx) {
  if (call.train && call.dropout != 0)
    throw Error(ErrorCode::kUnsupported, std::string(call.op) + ": train is true and dropout " +
                                             std::to_string(call.dropout) + "; only 0 is supported");
  const bool lstm = call.kind == CellKind::kLstm;
  if (hx.size() != (lstm ? 2 : 1))
    fail_value(std::string(call.op) + ": hx has " + std::to_string(hx.size()) + " tensors; expected " +
               (lstm ? "2" : "1"));
  for (const Tensor& state : hx) check_state(call, "hx", state, sequence.data, batch);
  const bool projected = lstm && hx[0].size(2) != hx[1].size(2);
  if (sequence.data.dim() != 2)
    fail_value(std::string(call.op) + ": " + describe("data", sequence.data) + "; expected [rows, features]");
  const auto cells = read_cells(call, sequence.data.size(1), hx[0].size(2), projected);
  return run_layers(call.kind, cells, call.bidirectional, sequence, hx[0], lstm ? hx[1] : Tensor());
}

RecurrentResult run_padded(const Call& call, const Tensor& input, std::span<const Tensor> hx, bool batch_first) {
  if (input.dim() != 3)
    fail_value(std::string(call.op) + ": " + describe("input", input) + "; expected 3 dimensions");
  const std::int64_t length = input.size(batch_first ? 1 : 0), batch = input.size(batch_first ? 0 : 1);
  if (length == 0) fail_value(std::string(call.op) + ": " + describe("input", input) + "; expected a step or more");
  RecurrentResult result = run(call, from_padded(input, batch_first), batch, hx);
  result.data = to_padded(result.data, length, batch, batch_first);
  return result;
}

RecurrentResult run_packed(const Call& call, const Tensor& data, const Tensor& batch_sizes,
                           std::span<const Tensor> hx) {
  const Sequence sequence = from_packed(call.op, data, batch_sizes);
  return run(call, sequence, sequence.batch_sizes[0], hx);
}

using Triple = std::tuple<Tensor, Tensor, Tensor>;
using TensorPair = std::tuple<Tensor, Tensor>;

Triple lstm_input(const Tensor& input, std::span<const Tensor> hx, std::span<const Tensor> params, bool has_biases,
                  std::int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  const Call call{"lstm", CellKind::kLstm, params, has_biases, num_layers, dropout, train, bidirectional};
  RecurrentResult result = run_padded(call, input, hx, batch_first);
  return {result.data, result.state, result.cell_state};
}

Triple lstm_data(const Tensor& data, const Tensor& batch_sizes, std::span<const Tensor> hx,
                 std::span<const Tensor> params, bool has_biases, std::int64_t num_layers, double dropout, bool train,
                 bool bidirectional) {
  const Call call{"lstm", CellKind::kLstm, params, has_biases, num_layers, dropout, train, bidirectional};
  RecurrentResult result = run_packed(call, data, batch_sizes, hx);
  return {result.data, result.state, result.cell_state};
}

constexpr const char* name_of(CellKind kind) {
  return kind == CellKind::kGru ? "gru" : kind == CellKind::kTanh ? "rnn_tanh" : "rnn_relu";
}

template <CellKind Kind>
TensorPair net_input(const Tensor& input, const Tensor& hx, std::span<const Tensor> params, bool has_biases,
                     std::int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  const Call call{name_of(Kind), Kind, params, has_biases, num_layers, dropout, train, bidirectional};
  const RecurrentResult result = run_padded(call, input, std::span(&hx, 1), batch_first);
  return {result.data, result.state};
}

template <CellKind Kind>
TensorPair net_data(const Tensor& data, const Tensor& batch_sizes, const Tensor& hx, std::span<const Tensor> params,
                    bool has_biases, std::int64_t num_layers, double dropout, bool train, bool bidirectional) {
  const Call call{name_of(Kind), Kind, params, has_biases, num_layers, dropout, train, bidirectional};
  const RecurrentResult result = run_packed(call, data, batch_sizes, std::span(&hx, 1));
  return {result.data, result.state};
}

// One step of one cell, with or without a batch. The new states.
std::vector<Tensor> run_cell(const char* op, CellKind kind, const Tensor& input, std::span<const Tensor> hx,
                             const Tensor& w_ih, const Tensor& w_hh, const OptionalTensor& b_ih,
                             const OptionalTensor& b_hh) {
  if (hx.size() != (kind == CellKind::kLstm ? 2 : 1))
    fail_value(std::string(op) + ": hx has " + std::to_string(hx.size()) +
               " tensors; expected as many as the cell's states");
  if (input.dim() == 1 && hx[0].dim() == 1) {
    std::vector<Tensor> batched;
    for (const Tensor& state : hx) batched.push_back(unsqueeze_view(state, 0));
    std::vector<Tensor> states = run_cell(op, kind, unsqueeze_view(input, 0), batched, w_ih, w_hh, b_ih, b_hh);
    for (Tensor& state : states) state = select_view(state, 0, 0);
    return states;
  }
  if (b_ih.has_value() != b_hh.has_value()) fail_value(std::string(op) + ": one bias is given; expected both or none");
  for (const Tensor& state : hx)
    if (input.dim() != 2 || state.dim() != 2 || state.size(0) != input.size(0) || state.dtype() != input.dtype() ||
        state.size(1) != hx[0].size(1))
      fail_value(std::string(op) + ": " + describe("input", input) + " and " + describe("hx", state) +
                 "; expected [batch, input_size] and [batch, hidden_size] of one dtype");
  check_cell(op, kind, input.size(1), hx[0].size(1), w_ih, w_hh, b_ih, b_hh, Tensor());
  const FloatCell cell(kind, w_ih, w_hh, b_ih, b_hh, Tensor());
  const Tensor gates = cell.input_gates(input), state = hx[0].contiguous();
  const Tensor hidden = kind == CellKind::kGru ? Tensor::empty(gates.sizes(), gates.dtype()) : gates;
  cell.hidden_gates(state, kind != CellKind::kGru, hidden);
  std::vector<Tensor> states{Tensor::empty(state.sizes(), state.dtype())};
  if (kind == CellKind::kLstm) states.push_back(copy_of(hx[1]));
  step(kind, gates, hidden, state, kind == CellKind::kLstm ? states[1] : Tensor(), states[0]);
  return states;
}

TensorPair lstm_cell(const Tensor& input, std::span<const Tensor> hx, const Tensor& w_ih, const Tensor& w_hh,
                     const OptionalTensor& b_ih, const OptionalTensor& b_hh) {
  const std::vector<Tensor> states = run_cell("lstm_cell", CellKind::kLstm, input, hx, w_ih, w_hh, b_ih, b_hh);
  return {states[0], states[1]};
}

template <CellKind Kind>
Tensor plain_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                  const OptionalTensor& b_ih, const OptionalTensor& b_hh) {
  constexpr const char* kName =
      Kind == CellKind::kGru ? "gru_cell" : Kind == CellKind::kTanh ? "rnn_tanh_cell" : "rnn_relu_cell";
  return run_cell(kName, Kind, input, std::span(&hx, 1), w_ih, w_hh, b_ih, b_hh)[0];
}

// Time steps of a padded batch without the padding; lengths fall.
TensorPair pack_padded_sequence(const Tensor& input, const Tensor& lengths, bool batch_first) {
  if (input.dim() < 2 || lengths.dim() != 1 || lengths.dtype() != DType::kInt64)
    fail_value("_pack_padded_sequence: " + describe("input", input) + " and " + describe("lengths", lengths) +
               "; expected 2 dimensions or more, and a vector of int64");
  const Tensor by_time = batch_first ? transpose_view(input, 0, 1) : input, dense = lengths.contiguous();
  const std::span<const std::int64_t> sizes(dense.data<const std::int64_t>(), static_cast<std::size_t>(dense.numel()));
  if (dense.numel() != by_time.size(1) || sizes.empty() || !std::ranges::is_sorted(sizes, std::greater<>()) ||
      sizes.back() < 1 || sizes.front() > by_time.size(0))
    fail_value("_pack_padded_sequence: lengths are " + to_string(sizes) + " for a batch of " +
               std::to_string(by_time.size(1)) + " sequences of at most " + std::to_string(by_time.size(0)) +
               "; expected one for each, falling, the last at least 1");
  std::int64_t total = 0, first = 0;
  for (const std::int64_t size : sizes) total += size;
  const Dims steps = by_time.sizes();
  Dims packed(steps.size() - 1);
  std::copy(steps.begin() + 2, steps.end(), packed.begin() + 1);
  packed[0] = total;
  Tensor data = Tensor::empty(packed, input.dtype()), batch_sizes = Tensor::empty(Dims{sizes.front()}, DType::kInt64);
  for (std::int64_t t = 0; t < sizes.front(); ++t) {
    const std::int64_t rows = std::ranges::count_if(sizes, [&](std::int64_t size) { return size > t; });
    batch_sizes.data<std::int64_t>()[t] = rows;
    copy_into(narrow_view(data, 0, first, rows), narrow_view(select_view(by_time, 0, t), 0, 0, rows), "pack");
    first += rows;
  }
  return {data, batch_sizes};
}

TensorPair pad_packed_sequence(const Tensor& data, const Tensor& batch_sizes, bool batch_first, Scalar padding,
                               std::int64_t total_length) {
  const Sequence sequence = from_packed("_pad_packed_sequence", data, batch_sizes);
  const auto steps = static_cast<std::int64_t>(sequence.batch_sizes.size());
  if (total_length > 0 && total_length < steps)
    fail_value("_pad_packed_sequence: total_length is " + std::to_string(total_length) + " for a sequence of " +
               std::to_string(steps) + " steps; expected as many or more");
  const std::int64_t batch = sequence.batch_sizes[0];
  Dims sizes(data.sizes().size() + 1);
  sizes[0] = std::max(steps, total_length);
  sizes[1] = batch;
  std::copy(data.sizes().begin() + 1, data.sizes().end(), sizes.begin() + 2);
  const Tensor out = filled(sizes, data.dtype(), padding), lengths = Tensor::empty(Dims{batch}, DType::kInt64);
  std::int64_t first = 0;
  for (std::int64_t t = 0; t < steps; ++t) {
    const std::int64_t rows = sequence.batch_sizes[static_cast<std::size_t>(t)];
    copy_into(narrow_view(select_view(out, 0, t), 0, 0, rows), narrow_view(sequence.data, 0, first, rows), "pad");
    std::fill_n(lengths.data<std::int64_t>(), rows, t + 1);
    first += rows;
  }
  return {batch_first ? transpose_view(out, 0, 1) : out, lengths};
}

constexpr OpDefinition kOps[] = {
    define_op<in_float<lstm_input>>(
        "aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, "
        "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)"),
    define_op<in_float<lstm_data>>(
        "aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int "
        "num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)"),
    define_op<in_float<net_input<CellKind::kGru>>>(
        "aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, "
        "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)"),
    define_op<in_float<net_data<CellKind::kGru>>>(
        "aten::gru.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int num_layers, "
        "float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)"),
    define_op<in_float<net_input<CellKind::kTanh>>>(
        "aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
        "dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)"),
    define_op<in_float<net_data<CellKind::kTanh>>>(
        "aten::rnn_tanh.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int "
        "num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)"),
    define_op<in_float<net_input<CellKind::kRelu>>>(
        "aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
        "dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)"),
    define_op<in_float<net_data<CellKind::kRelu>>>(
        "aten::rnn_relu.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int "
        "num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)"),
    define_op<in_float<lstm_cell>>(
        "aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
        "-> (Tensor, Tensor)"),
    define_op<in_float<plain_cell<CellKind::kGru>>>(
        "aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> "
        "Tensor"),
    define_op<in_float<plain_cell<CellKind::kTanh>>>(
        "aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
        "-> Tensor"),
    define_op<in_float<plain_cell<CellKind::kRelu>>>(
        "aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
        "-> Tensor"),
    define_op<pack_padded_sequence>(
        "aten::_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)"),
    define_op<pad_packed_sequence>(
        "aten::_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int "
        "total_length) -> (Tensor, Tensor)"),
};

}  // namespace

std::span<const OpDefinition> recurrent_ops() { return kOps; }

}  // namespace threadwheel
