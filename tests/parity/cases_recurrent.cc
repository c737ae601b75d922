// LSTM and its gradient.
#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Operand;
using kernels::OpInstance;
using kernels::testing::Absent;
using kernels::testing::Floats;

struct LstmSizes {
  int64_t steps, batch, inputs, hidden;
  const char* direction;
  bool states;
};

constexpr LstmSizes kSizes[] = {
    {1, 1, 1, 1, "forward", false},     {5, 2, 3, 4, "forward", true},
    {4, 3, 7, 5, "reverse", true},      {3, 2, 16, 17, "bidirectional", false},
    {9, 4, 5, 16, "bidirectional", true},
};

std::vector<Values> Draw(RandomStream& random, const OpInstance& op) {
  std::vector<Values> inputs;
  for (const Operand& operand : op.inputs) {
    inputs.push_back(operand.present ? Uniform(random, operand.type.shape) : Values());
  }
  return inputs;
}

// Errors of a step go on into the next, so that they count more than once.
Tolerance ToleranceOf(const LstmSizes& s) {
  return {static_cast<double>((s.inputs + s.hidden) * s.steps), 8};
}

std::vector<KernelCase> LstmCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const LstmSizes& s : kSizes) {
    const int64_t d = std::string(s.direction) == "bidirectional" ? 2 : 1;
    const Operand state = Floats({d, s.batch, s.hidden});
    const Operand all = Floats({s.steps, d, s.batch, s.hidden});
    OpInstance op{"LSTM",
                  {{"direction", std::string(s.direction)}, {"hidden_size", s.hidden}},
                  {Floats({s.steps, s.batch, s.inputs}), Floats({d, 4 * s.hidden, s.inputs}),
                   Floats({d, 4 * s.hidden, s.hidden}), Floats({d, 8 * s.hidden})},
                  {all, state, state}};
    if (s.states) {
      op.inputs.insert(op.inputs.end(), {state, state});
      op.outputs.push_back(Floats({s.steps, d, s.batch, 4 * s.hidden}));
      op.outputs.push_back(all);
    }
    cases.push_back(Near(op, Draw(random, op), ToleranceOf(s), 1));
  }
  return cases;
}

// Gates lie in 0…1 and need not belong to the other operands: the gradient is linear in them all.
std::vector<KernelCase> LstmGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const LstmSizes& s : kSizes) {
    const int64_t d = std::string(s.direction) == "bidirectional" ? 2 : 1;
    const Operand state = Floats({d, s.batch, s.hidden});
    const Operand all = Floats({s.steps, d, s.batch, s.hidden});
    const Operand x = Floats({s.steps, s.batch, s.inputs});
    const Operand w = Floats({d, 4 * s.hidden, s.inputs});
    const Operand r = Floats({d, 4 * s.hidden, s.hidden});
    OpInstance op{"LSTMGrad",
                  {{"direction", std::string(s.direction)}},
                  {x, w, r, Floats({s.steps, d, s.batch, 4 * s.hidden}), all, all},
                  {x, w, r, Floats({d, 8 * s.hidden})}};
    if (s.states) {
      op.inputs.insert(op.inputs.end(), {Absent(), state, state, state});
      op.outputs.insert(op.outputs.end(), {state, state});
    }
    std::vector<Values> inputs = Draw(random, op);
    for (float& gate : inputs[3]) gate = (gate + 1) / 2;
    cases.push_back(Near(op, inputs, ToleranceOf(s), 1));
  }
  return cases;
}

constexpr Generator kGenerators[] = {
    {"LSTM", &LstmCases},
    {"LSTMGrad", &LstmGradCases},
};

}  // namespace

Generators RecurrentGenerators() { return kGenerators; }

}  // namespace rm::tests
