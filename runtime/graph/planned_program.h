// A compiled program: a list of steps over memory that is settled, and the walk over it.
//
// compile.cc makes the parts, this class runs them. Parts are plain data: what a program will do
// can be read off them before any memory exists.
#ifndef RM_RUNTIME_GRAPH_PLANNED_PROGRAM_H_
#define RM_RUNTIME_GRAPH_PLANNED_PROGRAM_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/graph/aligned_memory.h"
#include "runtime/graph/program.h"
#include "runtime/graph/storage.h"

namespace rm::graph {

// Where an operand lies: a storage group, or nowhere for an absent one.
inline constexpr int kNoGroup = -1;

// One node as it runs.
struct ProgramStep {
  NodeReport report;
  std::unique_ptr<kernels::Kernel> kernel;  // nullptr for a view
  std::vector<int> input_groups;
  std::vector<int> output_groups;
  int64_t scratch_offset = 0;        // into the arena
  std::vector<int> final_gradients;  // parameters whose gradient this step finishes
  std::vector<const void*> inputs;   // set by PlannedProgram
  std::vector<void*> outputs;        // set by PlannedProgram
};

// An input or output by name.
struct ProgramPort {
  kernels::TensorType type;
  int group = kNoGroup;
};

// What a program is made of.
struct ProgramParts {
  std::vector<ProgramStep> steps;  // those of the forward pass first
  size_t forward_steps = 0;
  bool training = false;
  Precision precision = Precision::kFloat32;
  std::vector<StorageGroup> groups;
  std::vector<int64_t> group_offsets;  // by group, into the arena; for kArena
  std::map<ValueId, Value> constants;  // as StorageGroup::index; copies share the elements
  int64_t arena_bytes = 0;
  std::vector<ParameterInfo> parameters;
  std::vector<bool> has_gradient;  // by parameter: the loss depends on it
  std::vector<BufferInfo> buffers;
  std::vector<int> statistic_groups;  // by buffer; kNoGroup where nothing moves it
  std::map<std::string, ProgramPort> inputs;
  std::map<std::string, ProgramPort> outputs;
};

[[nodiscard]] std::unique_ptr<Program> MakeProgram(ProgramParts parts);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_PLANNED_PROGRAM_H_
