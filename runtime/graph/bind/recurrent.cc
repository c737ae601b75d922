// LSTM, which has a kernel of its own, and GRU and RNN, which become the nodes of their steps.
//
// Gates are blocks of rows of W and R, in ONNX's order; the two directions of a bidirectional layer are two
// chains that share nothing but the input. Gradients need no rule: those of W and of the input come from
// one product over all steps, those of R from one a step, added up.
//
// The sequence's length is known when a batch is bound. What a step takes from the input is computed
// for all steps in one product; the chain of states is a few nodes a step:
//
//   GRU, linear_before_reset 1:  z, r = σ(x_zr + h · R_zrᵀ),  n = tanh(x_n + r · (h · R_nᵀ + b)),
//                                h ← n + z · (h − n)
//   RNN:                         h ← tanh(x + h · Rᵀ)
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// What all three layers may have and none of them knows.
absl::Status CheckForm(BindContext* context) {
  const kernels::Attributes& given = context->node().attributes;
  if (given.Int("layout", 0) != 0) return Misfit("attribute layout is 1; only 0 is known");
  if (given.Has("clip")) return Misfit("attribute clip is not known");
  const std::string direction = given.String("direction", "forward");
  if (direction == "forward" || direction == "reverse" || direction == "bidirectional") {
    return absl::OkStatus();
  }
  return Misfit("attribute direction is '", direction, "', which is not known");
}

// Activations in small letters, of one direction: the same ones in both.
absl::StatusOr<std::string> Activations(BindContext* context, const std::string& usual) {
  const kernels::Attributes& given = context->node().attributes;
  const std::string all = absl::AsciiStrToLower(given.String("activations", ""));
  if (all.empty()) return usual;
  if (given.String("direction", "forward") != "bidirectional") return all;
  const std::string half = all.substr(0, all.size() / 2);
  if (all == half + "," + half) return half;
  return Misfit("attribute activations is '", all, "'; both directions must have the same");
}

// Forms of the LSTM that have no kernel, each refused by name.
absl::Status CheckLstm(BindContext* context) {
  RM_RETURN_IF_ERROR(CheckForm(context));
  if (context->node().attributes.Int("input_forget", 0) != 0) {
    return Misfit("attribute input_forget is not known");
  }
  if (context->has_input(7)) return Misfit("its input 'P' (peepholes) is not known");
  RM_ASSIGN_OR_RETURN(const std::string activations, Activations(context, "sigmoid,tanh,tanh"));
  if (activations == "sigmoid,tanh,tanh") return absl::OkStatus();
  return Misfit("attribute activations is '", activations, "'; only Sigmoid,Tanh,Tanh is known");
}

// All sequences are as long as the tensor.
absl::Status CheckLengths(BindContext* context) {
  if (!context->has_input(4)) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const Ints lengths, context->Integers(4, "sequence_lens"));
  // A known list of lengths says nothing about X, whose rank the caller need not have looked at yet.
  const Ints shape = context->shape(context->input(0));
  if (shape.size() != 3) return Misfit("X has ", shape.size(), " dimensions, it needs 3");
  const int64_t steps = shape[0];
  for (int64_t length : lengths) {
    if (length != steps) return Misfit("its input 'sequence_lens' holds ", length, " of ", steps);
  }
  return absl::OkStatus();
}

}  // namespace

// LSTM(X, W, R, B, sequence_lens, h0, c0, P) to LSTM(X, W, R, B, h0, c0).
//
// PyTorch's exporter gives the bias and both first states, and writes the weights in ONNX's order of
// gates by slicing and joining the ones that it knows by name: those nodes stay in front of this one,
// and gradients flow through them to the parameters. Where the bias is missing it is zero, a constant
// and not a parameter, so that the model trains what it had.
absl::Status BindLstm(BindContext* context) {
  // A bound one has no operand 6, and its operand 4 is a float.
  const bool bound = context->has_input(4) &&
                     context->type(context->input(4)).dtype == DType::kFloat32;
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  if (context->shape(context->input(0)).size() != 3) return Misfit("X must have 3 dimensions");
  const Ints w = context->shape(context->input(1));
  if (w.size() != 3) return Misfit("W must have 3 dimensions");
  ValueId bias = context->input(3);
  if (bias == kNoValue) {
    RM_ASSIGN_OR_RETURN(bias, context->Filled("/bias", DType::kFloat32, {w[0], 2 * w[1]}, 0));
  }
  std::vector<ValueId> operands = {context->input(0), context->input(1), context->input(2), bias};
  if (!bound) {
    RM_RETURN_IF_ERROR(CheckLstm(context));
    RM_RETURN_IF_ERROR(CheckLengths(context));
  }
  const size_t h0 = bound ? 4 : 5;
  if (context->has_input(h0) || context->has_input(h0 + 1)) {
    operands.push_back(context->input(h0));
    operands.push_back(context->input(h0 + 1));
  }
  while (operands.back() == kNoValue) operands.pop_back();
  size_t outputs = 1;
  for (size_t i = 1; i < context->node().outputs.size(); ++i) {
    if (context->output_is_used(i)) outputs = i + 1;
  }
  const kernels::Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(
      const std::vector<ValueId> results,
      context->AppendMany("LSTM", operands, outputs,
                          {{"hidden_size", given.Int("hidden_size", w[1] / 4)},
                           {"direction", given.String("direction", "forward")}}));
  for (size_t i = 0; i < outputs; ++i) context->SetOutput(i, results[i]);
  return absl::OkStatus();
}

namespace {

// A graph with more steps than this takes minutes to compile.
constexpr int64_t kStepsMax = 2048;

// One layer in nodes: `gates` are its blocks of rows in W and R, 3 for a GRU and 1 for an RNN.
class Unrolled {
 public:
  Unrolled(BindContext* context, int64_t gates) : context_(context), gates_(gates) {}
  virtual ~Unrolled() = default;
  Unrolled(const Unrolled&) = delete;
  Unrolled& operator=(const Unrolled&) = delete;

  // Appends all directions and states the node's outputs. Outputs that nobody reads leave no nodes. Y is
  // (steps, directions, batch, hidden): the states of a step stand together, whatever order they were
  // computed in.
  absl::Status Bind() {
    RM_RETURN_IF_ERROR(ReadSizes());
    const std::string direction =
        context_->node().attributes.String("direction", "forward");
    const int64_t directions = direction == "bidirectional" ? 2 : 1;
    if (directions_ != directions) {
      return Misfit("W has ", directions_, " directions, the attribute direction is ", direction);
    }
    std::vector<std::vector<ValueId>> states(static_cast<size_t>(steps_));  // (step, direction)
    std::vector<ValueId> last;
    for (int64_t d = 0; d < directions; ++d) {
      const bool reversed = d == 1 || direction == "reverse";
      RM_ASSIGN_OR_RETURN(const ValueId end, Direction(d, reversed, &states));
      last.push_back(end);
    }
    if (context_->output_is_used(0)) {
      std::vector<ValueId> all;
      for (const auto& step : states) all.insert(all.end(), step.begin(), step.end());
      RM_ASSIGN_OR_RETURN(const ValueId y, Joined(all, {steps_, directions_, batch_, hidden_}));
      context_->SetOutput(0, y);
    }
    if (context_->output_is_used(1)) {
      RM_ASSIGN_OR_RETURN(const ValueId end, Joined(last, {directions_, batch_, hidden_}));
      context_->SetOutput(1, end);
    }
    return absl::OkStatus();
  }

 protected:
  using Result = absl::StatusOr<ValueId>;

  // The state after a step, from `x` (batch, gates · hidden), what the input gives to it, and the
  // state `h` (batch, hidden). `r` (gates · hidden, hidden) and `bias` are those of the state.
  [[nodiscard]] virtual Result Step(ValueId x, ValueId h, ValueId r, ValueId bias) = 0;

  [[nodiscard]] Result Op(const char* op, std::vector<ValueId> operands) const {
    return context_->Append(op, std::move(operands), {}, absl::StrCat("/", op));
  }
  // a · bᵀ + bias
  [[nodiscard]] Result Product(ValueId a, ValueId b, ValueId bias) const {
    return context_->Append("Gemm", {a, b, bias}, {{"transB", int64_t{1}}}, "/Gemm");
  }
  // The value in parts of these sizes.
  [[nodiscard]] absl::StatusOr<std::vector<ValueId>> Parts(ValueId value, int64_t axis,
                                                           const Ints& sizes) const {
    if (sizes.size() == 1) return std::vector<ValueId>{value};
    return context_->AppendMany("Split", {value}, sizes.size(),
                                {{"axis", axis}, {"split", sizes}}, "/Split");
  }

  BindContext* const context_;
  const int64_t gates_;
  int64_t steps_ = 0, batch_ = 0, inputs_ = 0, hidden_ = 0, directions_ = 0;

 private:
  absl::Status ReadSizes() {
    const Ints x = context_->shape(context_->input(0));
    const Ints w = context_->shape(context_->input(1));
    const Ints r = context_->shape(context_->input(2));
    if (x.size() != 3 || w.size() != 3 || r.size() != 3) {
      return Misfit("X, W and R must have 3 dimensions");
    }
    steps_ = x[0];
    batch_ = x[1];
    inputs_ = x[2];
    hidden_ = r[2];
    directions_ = w[0];
    if (steps_ < 1 || steps_ > kStepsMax) {
      return Misfit("X has ", steps_, " steps; 1 to ", kStepsMax, " are known");
    }
    if (w != Ints{directions_, gates_ * hidden_, inputs_} ||
        r != Ints{directions_, gates_ * hidden_, hidden_}) {
      return Misfit("W is ", context_->type(context_->input(1)).ToString(), " and R ",
                    context_->type(context_->input(2)).ToString(), " for ", inputs_, " inputs");
    }
    const int64_t size = context_->node().attributes.Int("hidden_size", hidden_);
    if (size != hidden_) return Misfit("attribute hidden_size is ", size, ", R has ", hidden_);
    return absl::OkStatus();
  }

  // Entry `d` of an operand's first dimension, as `shape`.
  [[nodiscard]] Result Entry(ValueId value, int64_t d, const Ints& shape, const char* suffix) const {
    RM_ASSIGN_OR_RETURN(const std::vector<ValueId> entries,
                        Parts(value, 0, Ints(static_cast<size_t>(directions_), 1)));
    return context_->Reshaped(entries[static_cast<size_t>(d)], shape, suffix);
  }

  // One direction: writes its state after each step to `states` and returns the last one.
  [[nodiscard]] Result Direction(int64_t d, bool reversed,
                                 std::vector<std::vector<ValueId>>* states) {
    const int64_t rows = gates_ * hidden_;
    RM_ASSIGN_OR_RETURN(const ValueId w, Entry(context_->input(1), d, {rows, inputs_}, "/W"));
    RM_ASSIGN_OR_RETURN(const ValueId r, Entry(context_->input(2), d, {rows, hidden_}, "/R"));
    ValueId biases = context_->input(3);
    if (biases == kNoValue) {
      RM_ASSIGN_OR_RETURN(biases, context_->Filled("/bias", DType::kFloat32,
                                                   {directions_, 2 * rows}, 0));
    }
    RM_ASSIGN_OR_RETURN(const ValueId both, Entry(biases, d, {2 * rows}, "/B"));
    RM_ASSIGN_OR_RETURN(const std::vector<ValueId> bias, Parts(both, 0, {rows, rows}));
    ValueId h = context_->input(5);
    if (h == kNoValue) {
      RM_ASSIGN_OR_RETURN(h, context_->Filled("/zero", DType::kFloat32, {batch_, hidden_}, 0));
    } else {
      if (context_->shape(h) != Ints{directions_, batch_, hidden_}) {
        return Misfit("its input 'initial_h' is ", context_->type(h).ToString());
      }
      RM_ASSIGN_OR_RETURN(h, Entry(h, d, {batch_, hidden_}, "/h"));
    }
    constexpr int64_t kNodesOfStep = 16;
    RM_RETURN_IF_ERROR(context_->TakeRoomForNodes(steps_ * kNodesOfStep));
    RM_ASSIGN_OR_RETURN(const ValueId x, context_->Reshaped(context_->input(0),
                                                            {steps_ * batch_, inputs_}, "/rows"));
    RM_ASSIGN_OR_RETURN(const ValueId projected, Product(x, w, bias[0]));
    RM_ASSIGN_OR_RETURN(const std::vector<ValueId> taken,
                        Parts(projected, 0, Ints(static_cast<size_t>(steps_), batch_)));
    // The second direction starts from the last step, and its states go to the places of their steps.
    for (int64_t k = 0; k < steps_; ++k) {
      const auto t = static_cast<size_t>(reversed ? steps_ - 1 - k : k);
      RM_ASSIGN_OR_RETURN(h, Step(taken[t], h, r, bias[1]));
      (*states)[t].push_back(h);
    }
    return h;
  }

  // States (batch, hidden) one after the other, as `shape`.
  [[nodiscard]] Result Joined(const std::vector<ValueId>& states, const Ints& shape) const {
    ValueId all = states[0];
    if (states.size() > 1) {
      RM_ASSIGN_OR_RETURN(all, context_->Append("Concat", states, {{"axis", int64_t{0}}}, "/all"));
    }
    return context_->Reshaped(all, shape, "/states");
  }
};

// Gates in ONNX's order: update z, reset r, new n. PyTorch's layers reset behind the product
// (linear_before_reset 1), so that one product serves all three gates; the paper's form resets the state
// before it, which takes a second product a step.
class Gru final : public Unrolled {
 public:
  explicit Gru(BindContext* context) : Unrolled(context, 3) {}

 private:
  Result Step(ValueId x, ValueId h, ValueId r, ValueId bias) override {
    const bool late = context_->node().attributes.Int("linear_before_reset", 0) != 0;
    const Ints parts = {2 * hidden_, hidden_};
    RM_ASSIGN_OR_RETURN(const std::vector<ValueId> given, Parts(x, 1, parts));
    std::vector<ValueId> r_parts;
    std::vector<ValueId> bias_parts;
    std::vector<ValueId> products;
    if (late) {
      RM_ASSIGN_OR_RETURN(const ValueId all, Product(h, r, bias));
      RM_ASSIGN_OR_RETURN(products, Parts(all, 1, parts));
    } else {
      RM_ASSIGN_OR_RETURN(r_parts, Parts(r, 0, parts));
      RM_ASSIGN_OR_RETURN(bias_parts, Parts(bias, 0, parts));
      RM_ASSIGN_OR_RETURN(const ValueId gates, Product(h, r_parts[0], bias_parts[0]));
      products.push_back(gates);
    }
    RM_ASSIGN_OR_RETURN(const ValueId sums, Op("Add", {given[0], products[0]}));
    RM_ASSIGN_OR_RETURN(const ValueId both, Op("Sigmoid", {sums}));
    RM_ASSIGN_OR_RETURN(const std::vector<ValueId> gates, Parts(both, 1, {hidden_, hidden_}));
    ValueId kept = kNoValue;
    if (late) {
      RM_ASSIGN_OR_RETURN(kept, Op("Mul", {gates[1], products[1]}));
    } else {
      RM_ASSIGN_OR_RETURN(const ValueId reset, Op("Mul", {gates[1], h}));
      RM_ASSIGN_OR_RETURN(kept, Product(reset, r_parts[1], bias_parts[1]));
    }
    RM_ASSIGN_OR_RETURN(const ValueId sum, Op("Add", {given[1], kept}));
    RM_ASSIGN_OR_RETURN(const ValueId fresh, Op("Tanh", {sum}));
    RM_ASSIGN_OR_RETURN(const ValueId change, Op("Sub", {h, fresh}));
    RM_ASSIGN_OR_RETURN(const ValueId share, Op("Mul", {gates[0], change}));
    return Op("Add", {fresh, share});
  }
};

// One gate, which is the state itself.
class Rnn final : public Unrolled {
 public:
  Rnn(BindContext* context, const char* activation)
      : Unrolled(context, 1), activation_(activation) {}

 private:
  Result Step(ValueId x, ValueId h, ValueId r, ValueId bias) override {
    RM_ASSIGN_OR_RETURN(const ValueId kept, Product(h, r, bias));
    RM_ASSIGN_OR_RETURN(const ValueId sum, Op("Add", {x, kept}));
    return Op(activation_, {sum});
  }

  const char* const activation_;
};

}  // namespace

absl::Status BindGru(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  RM_RETURN_IF_ERROR(CheckForm(context));
  RM_RETURN_IF_ERROR(CheckLengths(context));
  RM_ASSIGN_OR_RETURN(const std::string activations, Activations(context, "sigmoid,tanh"));
  if (activations != "sigmoid,tanh") {
    return Misfit("attribute activations is '", activations, "'; only Sigmoid,Tanh is known");
  }
  return Gru(context).Bind();
}

absl::Status BindRnn(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  RM_RETURN_IF_ERROR(CheckForm(context));
  RM_RETURN_IF_ERROR(CheckLengths(context));
  RM_ASSIGN_OR_RETURN(const std::string activations, Activations(context, "tanh"));
  if (activations == "tanh") return Rnn(context, "Tanh").Bind();
  if (activations == "relu") return Rnn(context, "Relu").Bind();
  return Misfit("attribute activations is '", activations, "'; Tanh and Relu are known");
}

}  // namespace rm::graph
