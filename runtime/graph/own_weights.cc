#include "runtime/graph/own_weights.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/alignment.h"
#include "base/status.h"

namespace rm::graph {
namespace {

// Every tensor begins at a multiple of 64 bytes, as programs ask for.
size_t Rounded(int64_t elements) {
  return base::RoundUp(static_cast<size_t>(elements), base::kCacheLineFloats);
}

// Hands out pieces of one block.
class Pieces {
 public:
  explicit Pieces(char* memory) : next_(reinterpret_cast<float*>(memory)) {}
  float* Take(int64_t elements) {
    float* const piece = next_;
    next_ += Rounded(elements);
    return piece;
  }

 private:
  float* next_;
};

// The first value of a parameter or buffer, by its name in the graph.
absl::Status SetFirstValue(const Graph& graph, const std::string& name, uint64_t seed,
                           int64_t elements, float* memory) {
  const ValueId id = graph.FindValue(name);
  if (id == kNoValue) return absl::NotFoundError(absl::StrCat("the graph has no '", name, "'"));
  InitializeParameter(graph.value(id), seed, {memory, static_cast<size_t>(elements)});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OwnWeights> OwnWeights::Bind(const Graph& graph, uint64_t seed, Program* program) {
  size_t floats = 0;
  for (const ParameterInfo& info : program->parameters()) floats += 2 * Rounded(info.elements);
  for (const BufferInfo& info : program->buffers()) floats += Rounded(info.elements);
  RM_ASSIGN_OR_RETURN(AlignedMemory memory, AlignedMemory::Allocate(floats * sizeof(float)));
  Pieces pieces(memory.data());
  int index = 0;
  for (const ParameterInfo& info : program->parameters()) {
    float* const value = pieces.Take(info.elements);
    RM_RETURN_IF_ERROR(SetFirstValue(graph, info.name, seed, info.elements, value));
    program->BindParameter(index++, value, pieces.Take(info.elements));
  }
  index = 0;
  for (const BufferInfo& info : program->buffers()) {
    float* const value = pieces.Take(info.elements);
    RM_RETURN_IF_ERROR(SetFirstValue(graph, info.name, seed, info.elements, value));
    program->BindBuffer(index++, value);
  }
  return OwnWeights(std::move(memory));
}

}  // namespace rm::graph
