// What happens between an LSTM's matrix products, hidden unit by hidden unit. Gates stand in ONNX's
// order: input, output, forget, cell, `n` of each one behind the other.
//
// No pointer needs alignment. Outputs overlap nothing but what is said. Results do not depend on how
// units are cut into vectors. Thread-safe.
#ifndef RM_KERNELS_CPU_LSTM_LOOPS_H_
#define RM_KERNELS_CPU_LSTM_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// One step of one sequence, forward.
struct LstmStep {
  float* gates = nullptr;  // (4, n): what the gates are computed of; becomes the gates
  float* cell = nullptr;   // (n): c of the step before; becomes c
  float* hidden = nullptr;  // (n): becomes h
};

// One step of one sequence, backward.
struct LstmStepGrad {
  const float* gates = nullptr;        // (4, n), as they came out
  const float* cell = nullptr;         // (n)
  const float* cell_before = nullptr;  // (n); null: zero
  const float* arrived = nullptr;      // (n): the gradient of h from the output; null: zero
  const float* d_hidden = nullptr;     // (n): the gradient of h from the step after
  float* d_cell = nullptr;             // (n): of c; becomes that of the cell before
  float* d_gates = nullptr;            // (4, n): of what the gates are computed of
};

struct LstmLoops {
  // i, o, f = Sigmoid, g = tanh; c = f · c' + i · g; h = o · tanh(c)
  void (*step)(const LstmStep& step, int64_t n);
  void (*step_grad)(const LstmStepGrad& step, int64_t n);
  // h = o · tanh(c), from the gates and the cell of a step
  void (*hidden)(const float* gates, const float* cell, float* hidden, int64_t n);
};

namespace v1 {
extern const LstmLoops kLstmLoops;
}
namespace v3 {
extern const LstmLoops kLstmLoops;
}
namespace v4 {
extern const LstmLoops kLstmLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_LSTM_LOOPS_H_
