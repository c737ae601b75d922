#include "runtime/zoo/zoo.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "base/nearest_name.h"
#include "base/status.h"
#include "runtime/zoo/models.h"

namespace rm::zoo {
namespace {

// Whole numbers from 1 to `most`.
// One parameter a model takes: its name, its default, and what it may be.
struct Param {
  const char* name;
  double fallback;
  int64_t most;
  bool is_share = false;  // any number from 0 to below 1, and not a whole number from 1 to `most`
};

// Limits that keep every count of elements, and their bytes, far from the end of int64.
constexpr int64_t kSideMax = 1 << 12;
constexpr int64_t kWidthMax = 1 << 20;

constexpr Param kMlpParams[] = {
    {"classes", 10, kWidthMax}, {"hidden1", 512, kWidthMax}, {"hidden2", 256, kWidthMax},
    {"channels", 1, kSideMax},  {"height", 28, kSideMax},    {"width", 28, kSideMax},
};

constexpr Param kConvnetParams[] = {
    {"classes", 10, kWidthMax},
    {"channels", 1, kSideMax},
    {"height", 28, kSideMax},
    {"width", 28, kSideMax},
    {"dropout", 0, 0, true},
};

constexpr Param kGptParams[] = {
    {"vocabulary", 65, kWidthMax}, {"context", 64, kSideMax}, {"width", 128, kWidthMax},
    {"layers", 4, 1024},           {"heads", 4, kSideMax},
};

constexpr Param kResNet18Params[] = {
    {"classes", 10, kWidthMax},
    {"channels", 3, kSideMax},
    {"height", 32, kSideMax},
    {"width", 32, kSideMax},
};

// The table's row: how a model is built, and with what.
struct Model {
  const char* name;
  absl::Span<const Param> params;
  absl::StatusOr<graph::Graph> (*build)(const Params& params);
};

constexpr Model kModels[] = {
    {"mlp", kMlpParams, &BuildMlp},
    {"convnet", kConvnetParams, &BuildConvnet},
    {"resnet18", kResNet18Params, &BuildResNet18},
    {"gpt", kGptParams, &BuildGpt},
};

// nullptr for a name that is not in the table.
const Model* FindModel(absl::string_view name) {
  for (const Model& model : kModels) {
    if (name == model.name) return &model;
  }
  return nullptr;
}

// "unknown model 'convnt' – did you mean 'convnet'? There is mlp, convnet, resnet18, gpt".
// Names what is unknown, what is known, and what may have been meant.
absl::Status Unknown(absl::string_view what, absl::string_view name,
                     const std::vector<std::string>& known) {
  const std::string suggestion = base::Suggestion(name, known);
  return absl::InvalidArgumentError(absl::StrCat("unknown ", what, " '", name, "'", suggestion,
                                                 suggestion.empty() ? "; there is " : " There is ",
                                                 absl::StrJoin(known, ", ")));
}

// For suggestions.
std::vector<std::string> ParamNames(const Model& model) {
  std::vector<std::string> names;
  for (const Param& param : model.params) names.emplace_back(param.name);
  return names;
}

// Whole numbers within bounds only: a width of 2.5 is a slip, a width of 10⁹ an accident.
absl::Status SetParam(const Model& model, const std::string& name, double value, Params* params) {
  for (const Param& param : model.params) {
    if (name != param.name) continue;
    if (param.is_share) {
      if (value >= 0 && value < 1) {
        params->Set(name, value);
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError(absl::StrCat("parameter '", name, "' of model '",
                                                     model.name, "' is ", value,
                                                     "; it must be at least 0 and below 1"));
    }
    // A NaN fails the comparison as well.
    if (!(value >= 1 && value <= static_cast<double>(param.most)) || std::floor(value) != value) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter '", name, "' of model '", model.name, "' is ", value,
                       "; it must be a whole number from 1 to ", param.most));
    }
    params->Set(name, value);
    return absl::OkStatus();
  }
  return Unknown(absl::StrCat("parameter of model '", model.name, "':"), name, ParamNames(model));
}

}  // namespace

// Defaults first, then what the user gives on top.
absl::StatusOr<graph::Graph> BuildModel(absl::string_view name,
                                        const std::map<std::string, double>& params) {
  const Model* model = FindModel(name);
  if (model == nullptr) return Unknown("model", name, ModelNames());
  Params complete;
  for (const Param& param : model->params) complete.Set(param.name, param.fallback);
  for (const auto& [key, value] : params) {
    RM_RETURN_IF_ERROR(SetParam(*model, key, value, &complete));
  }
  return model->build(complete);
}

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const Model& model : kModels) names.emplace_back(model.name);
  return names;
}

std::map<std::string, double> ModelParams(absl::string_view name) {
  std::map<std::string, double> params;
  const Model* model = FindModel(name);
  if (model == nullptr) return params;
  for (const Param& param : model->params) params[param.name] = param.fallback;
  return params;
}

}  // namespace rm::zoo
