// The builders of the built-in models, for the table alone.
#ifndef RM_RUNTIME_ZOO_MODELS_H_
#define RM_RUNTIME_ZOO_MODELS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/graph/graph.h"

namespace rm::zoo {

// A model's parameters by name, every one of them present and inside its range.
class Params {
 public:
  void Set(const std::string& name, double value) { values_[name] = value; }
  // A whole number. REQUIRES: the model takes it.
  [[nodiscard]] int64_t at(const std::string& name) const {
    return static_cast<int64_t>(values_.at(name));
  }
  // A number from 0 to below 1. REQUIRES: the model takes it.
  [[nodiscard]] float share(const std::string& name) const {
    return static_cast<float>(values_.at(name));
  }

 private:
  std::map<std::string, double> values_;
};

absl::StatusOr<graph::Graph> BuildMlp(const Params& params);
absl::StatusOr<graph::Graph> BuildConvnet(const Params& params);
absl::StatusOr<graph::Graph> BuildGpt(const Params& params);
absl::StatusOr<graph::Graph> BuildResNet18(const Params& params);

}  // namespace rm::zoo

#endif  // RM_RUNTIME_ZOO_MODELS_H_
