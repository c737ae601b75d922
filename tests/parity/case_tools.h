// What the generators of cases share, and the list of their families.
//
// A family of operators has a file cases_<family>.cc with a table of generators, one an operator;
// its function is declared here and has one line in the list of kernel_cases.cc.
#ifndef RM_TESTS_PARITY_CASE_TOOLS_H_
#define RM_TESTS_PARITY_CASE_TOOLS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "base/random.h"
#include "tests/parity/kernel_cases.h"

namespace rm::tests {

using Ints = std::vector<int64_t>;

// --- Values ---

// Uniform in [−1, 1).
[[nodiscard]] Values Uniform(base::RandomStream& random, const kernels::Shape& shape);

// One of few numbers, zero among them: maxima repeat, signs change.
[[nodiscard]] Values Coarse(base::RandomStream& random, const kernels::Shape& shape);

// One of the choices.
[[nodiscard]] int64_t Pick(base::RandomStream& random, const Ints& choices);

// --- Cases ---

// A case whose inputs are uniform and whose outputs are linear in the absolute values of the
// inputs.
[[nodiscard]] KernelCase Linear(base::RandomStream& random, const kernels::OpInstance& instance,
                                double terms, double slack = 1);

// A case whose output must be right to the bit.
[[nodiscard]] KernelCase Exact(const kernels::OpInstance& instance, std::vector<Values> inputs);

// A case of the given inputs, off by a rounding error of `terms` terms, none smaller than `least`.
[[nodiscard]] KernelCase Near(const kernels::OpInstance& instance, std::vector<Values> inputs,
                              Tolerance tolerance, float least);

// --- Families ---

// The cases of one operator, drawn from a stream of its own.
struct Generator {
  const char* op;
  std::vector<KernelCase> (*cases)(base::RandomStream& random);
};

// A family's table, in alphabetical order. Lives for ever.
using Generators = absl::Span<const Generator>;

[[nodiscard]] Generators BatchNormGenerators();  // cases_batch_norm.cc
[[nodiscard]] Generators BroadcastGenerators();  // cases_broadcast.cc
[[nodiscard]] Generators CoreGenerators();       // kernel_cases.cc
[[nodiscard]] Generators MatMulGenerators();     // cases_matmul.cc
[[nodiscard]] Generators MovementGenerators();   // cases_movement.cc
[[nodiscard]] Generators NormalizeGenerators();  // cases_normalize.cc
[[nodiscard]] Generators RecurrentGenerators();  // cases_recurrent.cc
[[nodiscard]] Generators ReduceGenerators();     // cases_reduce.cc
[[nodiscard]] Generators TrainingGenerators();   // cases_training.cc
[[nodiscard]] Generators UnaryGenerators();      // cases_unary.cc

}  // namespace rm::tests

#endif  // RM_TESTS_PARITY_CASE_TOOLS_H_
