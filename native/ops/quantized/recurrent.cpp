// LSTM and GRU with dynamically quantized weights.
#include "ops/layers/recurrent.h"

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ops/families.h"
#include "ops/quantized/packed.h"
#include "ops/quantized/products.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

// Both products quantize their input anew; biases are in the packed parameters.
class QuantizedCell final : public Cell {
 public:
  QuantizedCell(const char* op, const Value& params) {
    const bool fits = params.is_object() && params.to_object().slots.size() == 1 &&
                      params.to_object().slots[0].is_tuple() && params.to_object().slots[0].to_tuple().size() == 5;
    if (!fits) fail_value(std::string(op) + ": the cell's parameters are of another class; expected CellParamsBase");
    const std::vector<Value>& state = params.to_object().slots[0].to_tuple();
    if (!state[0].is_string() || state[0].to_string() != "quantized_dynamic" || state[4].to_list().size() != 2)
      throw Error(ErrorCode::kUnsupported,
                  std::string(op) + ": the cell's kind is not 'quantized_dynamic'; only that is supported");
    const std::vector<Value>& flags = state[3].to_list();
    reduce_range_ = !flags.empty() && flags[0].to_int() != 0;
    input_ = state[4].to_list()[0];
    hidden_ = state[4].to_list()[1];
    input_weight_ = packed::Params(op, input_, packed::linear_class()).weight;
    hidden_weight_ = packed::Params(op, hidden_, packed::linear_class()).weight;
  }

  const Tensor& input_weight() const { return input_weight_; }
  const Tensor& hidden_weight() const { return hidden_weight_; }

  Tensor input_gates(const Tensor& data) const override { return dynamic_product(data, input_, reduce_range_, false); }

  void hidden_gates(const Tensor& state, bool add, const Tensor& out) const override {
    const Tensor product = dynamic_product(state, hidden_, reduce_range_, false);
    for (std::int64_t i = 0; i < product.numel(); ++i)
      out.data<float>()[i] = product.data<const float>()[i] + (add ? out.data<float>()[i] : 0.0F);
  }

 private:
  Value input_, hidden_;
  Tensor input_weight_, hidden_weight_;
  bool reduce_range_ = false;
};

using Triple = std::tuple<Tensor, Tensor, Tensor>;

using Cells = std::vector<std::unique_ptr<Cell>>;

// One cell for each layer and direction, with weights that go together.
Cells quantized_cells(const char* op, CellKind kind, const std::vector<Value>& given, std::int64_t input,
                      std::int64_t hidden, std::int64_t directions) {
  const std::int64_t rows = num_gates(kind) * hidden;
  Cells cells;
  for (const Value& params : given) {
    auto cell = std::make_unique<QuantizedCell>(op, params);
    const bool first = static_cast<std::int64_t>(cells.size()) < directions;
    const std::int64_t in[] = {rows, first ? input : hidden * directions}, own[] = {rows, hidden};
    if (!std::ranges::equal(cell->input_weight().sizes(), in) ||
        !std::ranges::equal(cell->hidden_weight().sizes(), own))
      fail_value(std::string(op) + ": " + describe("a weight", cell->input_weight()) + "; expected " + to_string(in));
    cells.push_back(std::move(cell));
  }
  return cells;
}

// input: [length, batch, features] or batch first; states: [layers * directions, batch, hidden], an LSTM's cell state
// as well. The result's data is padded.
RecurrentResult quantized_layers(const char* op, CellKind kind, const Tensor& input, std::span<const Tensor> states,
                                 const std::vector<Value>& params, std::int64_t num_layers, bool bidirectional,
                                 bool batch_first) {
  const std::int64_t directions = bidirectional ? 2 : 1;
  const std::size_t num_states = kind == CellKind::kLstm ? 2 : 1;
  if (input.dim() != 3 || states.size() != num_states || num_layers < 1 ||
      static_cast<std::int64_t>(params.size()) != num_layers * directions)
    fail_value(std::string(op) + ": " + describe("input", input) + ", " + std::to_string(states.size()) +
               " states and " + std::to_string(params.size()) + " cells; expected 3 dimensions, " +
               std::to_string(num_states) + ", and one for each layer and direction");
  const std::int64_t length = input.size(batch_first ? 1 : 0), batch = input.size(batch_first ? 0 : 1);
  const std::int64_t hidden = states[0].dim() == 3 ? states[0].size(2) : -1;
  const std::int64_t wanted[] = {num_layers * directions, batch, hidden};
  for (const Tensor& state : states)
    if (hidden < 1 || length < 1 || !std::ranges::equal(state.sizes(), wanted) || state.dtype() != DType::kFloat32)
      fail_value(std::string(op) + ": " + describe("a state", state) +
                 "; expected [layers * directions, batch, hidden], float32, and a step or more");
  const Cells cells = quantized_cells(op, kind, params, input.size(2), hidden, directions);
  RecurrentResult result = run_layers(kind, cells, bidirectional, from_padded(input, batch_first), states[0],
                                      num_states == 2 ? states[1] : Tensor());
  result.data = to_padded(result.data, length, batch, batch_first);
  return result;
}

void check_dropout(const char* op, double dropout, bool train) {
  if (train && dropout != 0)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": train is true and dropout is not 0; only 0 is supported");
}

Triple quantized_lstm(const Tensor& input, std::span<const Tensor> hx, const Value& params, bool /*has_biases*/,
                      std::int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first,
                      std::optional<DType> /*dtype*/, bool /*use_dynamic*/) {
  check_dropout("quantized_lstm", dropout, train);
  const RecurrentResult result = quantized_layers("quantized_lstm", CellKind::kLstm, input, hx, params.to_list(),
                                                  num_layers, bidirectional, batch_first);
  return {result.data, result.state, result.cell_state};
}

std::tuple<Tensor, Tensor> quantized_gru(const Tensor& input, const Tensor& hx, const Value& params,
                                         bool /*has_biases*/, std::int64_t num_layers, double dropout, bool train,
                                         bool bidirectional, bool batch_first) {
  check_dropout("quantized_gru", dropout, train);
  const RecurrentResult result = quantized_layers("quantized_gru", CellKind::kGru, input, std::span(&hx, 1),
                                                  params.to_list(), num_layers, bidirectional, batch_first);
  return {result.data, result.state};
}

constexpr OpDefinition kOps[] = {
    define_op<quantized_lstm>(
        "aten::quantized_lstm.input(Tensor input, Tensor[] hx, __torch__.torch.classes.rnn.CellParamsBase[] params, "
        "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first, *, "
        "ScalarType? dtype=None, bool use_dynamic=False) -> (Tensor, Tensor, Tensor)"),
    define_op<quantized_gru>(
        "aten::quantized_gru.input(Tensor input, Tensor hx, __torch__.torch.classes.rnn.CellParamsBase[] params, bool "
        "has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, "
        "Tensor)"),
};

}  // namespace

std::span<const OpDefinition> quantized_recurrent_ops() { return kOps; }

}  // namespace threadwheel
