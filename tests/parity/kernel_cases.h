// Generated cases for every operator: what the parity tests feed to all kernels of it.
//
// The cases are the same in every run: shapes and values come from fixed seeds. Shapes are chosen
// to be awkward: odd sizes, a batch of one, one channel, channels that do not fill a block, windows
// that overlap, leave gaps or reach into the padding.
#ifndef RM_TESTS_PARITY_KERNEL_CASES_H_
#define RM_TESTS_PARITY_KERNEL_CASES_H_

#include <string>
#include <vector>

#include "kernels/api/kernel.h"

namespace rm::tests {

using Values = std::vector<float>;

// How far a kernel may be from the reference, in roundings of float32 (2^-24) relative to the sum
// of the absolute values of the terms that an output adds up.
//
// A sum of n terms in any order is off by at most n roundings, and by about √n where their errors
// are independent; a wrong or missing term is about 1/n of the sum. So the limit is slack · (4 +
// 2·√terms) roundings, and terms = 0 means that every bit must be right.
//
// A bfloat16 output that must not be right to the bit may be its neighbour: what lies near the middle
// between two may be rounded either way.
struct Tolerance {
  double terms = 0;
  double slack = 1;
};

struct KernelCase {
  kernels::OpInstance instance;  // all plain
  std::vector<Values> inputs;    // in logical order; empty for an absent operand
  Tolerance tolerance;
  // What the tolerance is relative to: the outputs of the reference for the absolute values of
  // these inputs; without them, the absolute values of the expected outputs.
  std::vector<Values> magnitude_inputs;
  // Too large for all layouts: only for entries that choose layouts, and in these.
  bool chosen_layouts_only = false;
  // Without magnitude_inputs: no output counts as smaller than this. For results whose terms cancel
  // although they are about as large as this.
  float magnitude_least = 0;
};

// The cases of an operator, in float32 and then in its bfloat16 form if it has one
// (kernels/api/bfloat16_form.h); empty when nobody wrote a generator for it.
[[nodiscard]] std::vector<KernelCase> CasesOf(const std::string& op);

}  // namespace rm::tests

#endif  // RM_TESTS_PARITY_KERNEL_CASES_H_
