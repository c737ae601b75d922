#include "runtime/trainer/batch_inputs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/training.h"

namespace rm::trainer {

std::vector<std::string> ModelInputs(const graph::Graph& graph) {
  const char* const others[] = {graph::kLabels, graph::kWeights, graph::kScale, graph::kCounters};
  std::vector<std::string> names;
  for (const graph::ValueId id : graph.inputs()) {
    const std::string& name = graph.value(id).name;
    if (std::find(std::begin(others), std::end(others), name) == std::end(others)) {
      names.push_back(name);
    }
  }
  return names;
}

absl::StatusOr<BatchInputs::Place> BatchInputs::FindOne(graph::Program& program,
                                                        const std::string& name) {
  Place place;
  place.name = name;
  RM_ASSIGN_OR_RETURN(place.memory, program.InputMemory(name));
  RM_ASSIGN_OR_RETURN(const kernels::TensorType type, program.InputType(name));
  place.bytes = type.bytes();
  return place;
}

absl::StatusOr<BatchInputs> BatchInputs::Find(graph::Program& program,
                                              const std::vector<std::string>& inputs) {
  BatchInputs found;
  for (const std::string& name : inputs) {
    RM_ASSIGN_OR_RETURN(Place place, FindOne(program, name));
    found.inputs_.push_back(place.memory);
    found.places_.push_back(std::move(place));
  }
  RM_ASSIGN_OR_RETURN(found.target_, FindOne(program, graph::kLabels));
  RM_ASSIGN_OR_RETURN(const Place weights, FindOne(program, graph::kWeights));
  found.weights_ = static_cast<float*>(weights.memory);
  found.weight_count_ = static_cast<int64_t>(weights.bytes / sizeof(float));
  return found;
}

data::BatchMemory BatchInputs::memory() const {
  return {absl::MakeConstSpan(inputs_), target_.memory, weights_};
}

// A graph whose operators fix the batch that it was exported with could pass for one that follows it:
// then rows would be written beyond its memory.
absl::Status BatchInputs::Check(const data::SampleLayout& layout, int64_t rows) const {
  const auto check = [&](const std::string& name, size_t found, size_t row_bytes) {
    if (found == row_bytes * static_cast<size_t>(rows)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "model: '", name, "' has ", found, " bytes for a batch of ", rows, ", not ", rows, " times ",
        row_bytes, ": the model's shapes do not follow the batch; export it with an open batch"));
  };
  if (places_.size() != layout.inputs.size()) {
    return absl::InternalError(absl::StrCat("the program has ", places_.size(), " inputs"));
  }
  for (size_t i = 0; i < places_.size(); ++i) {
    RM_RETURN_IF_ERROR(check(places_[i].name, places_[i].bytes, layout.inputs[i].bytes()));
  }
  RM_RETURN_IF_ERROR(check(target_.name, target_.bytes, layout.target.bytes()));
  return check(graph::kWeights, static_cast<size_t>(weight_count_) * sizeof(float),
               static_cast<size_t>(layout.weights()) * sizeof(float));
}

}  // namespace rm::trainer
