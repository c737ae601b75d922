// First values of parameters.
//
// One random stream a parameter, keyed by its name: adding a layer to a model, or placing it on
// more ranks, changes no other layer's values. Only + and × of floats are used for uniform values,
// so they are equal on every machine.
#include <algorithm>

#include "base/check.h"
#include "base/random.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

void InitializeParameter(const Value& parameter, uint64_t seed, absl::Span<float> out) {
  RM_CHECK(static_cast<int64_t>(out.size()) == kernels::ElementCount(parameter.shape),
           "parameter '", parameter.name, "' has ", kernels::ElementCount(parameter.shape),
           " elements, not ", out.size());
  const Initializer& initializer = parameter.initializer;
  base::RandomStream stream(seed, base::StableHash(parameter.name));
  switch (initializer.kind) {
    case Initializer::Kind::kZero:
      std::fill(out.begin(), out.end(), 0.0F);
      return;
    case Initializer::Kind::kOne:
      std::fill(out.begin(), out.end(), 1.0F);
      return;
    case Initializer::Kind::kUniform:
      for (float& x : out) x = (2.0F * stream.NextUniform() - 1.0F) * initializer.scale;
      return;
    case Initializer::Kind::kNormal:
      for (float& x : out) x = stream.NextNormal() * initializer.scale;
      return;
    case Initializer::Kind::kValues:
      RM_CHECK(initializer.values != nullptr && initializer.values->size() == out.size(),
               "parameter '", parameter.name, "' lacks initial values, or has too many");
      std::copy(initializer.values->begin(), initializer.values->end(), out.begin());
      return;
  }
}

}  // namespace rm::graph
