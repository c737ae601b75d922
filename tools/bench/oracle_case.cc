#include "tools/bench/oracle_case.h"

#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/status.h"

namespace rm::bench {
namespace {

namespace pb = ::ringmaster::v1;

// The member `key` of case.json, which must be there.
absl::StatusOr<const base::Json*> Member(const base::Json& json, absl::string_view key) {
  const base::Json* member = json.Find(key);
  if (member != nullptr) return member;
  return absl::InvalidArgumentError(absl::StrCat("case.json: '", key, "' is missing"));
}

absl::StatusOr<int64_t> Count(const base::Json& json, absl::string_view key) {
  RM_ASSIGN_OR_RETURN(const base::Json* member, Member(json, key));
  const int64_t count = member->int_or(0);
  if (count >= 1) return count;
  return absl::InvalidArgumentError(absl::StrCat("case.json: '", key, "' must be at least 1"));
}

// Their names are those of a job file, but for the betas, which stand in a list.
absl::Status ReadOptimizer(const base::Json& json, OracleCase* oracle) {
  RM_ASSIGN_OR_RETURN(const base::Json* kind, Member(json, "kind"));
  const std::string name = kind->string_or("");
  if (name != "sgd" && name != "adamw") {
    return absl::InvalidArgumentError(absl::StrCat("case.json: unknown optimizer '", name, "'"));
  }
  oracle->optimizer.set_type(name == "sgd" ? "SGD" : "AdamW");
  auto& params = *oracle->optimizer.mutable_params();
  for (const auto& [key, value] : json.object()) {
    if (key == "kind") continue;
    if (key == "lr") {
      oracle->learning_rate = value.number_or(0);
    } else if (key == "betas" && value.array().size() == 2) {
      params["beta1"] = value.array()[0].number_or(0);
      params["beta2"] = value.array()[1].number_or(0);
    } else {
      params[key] = value.number_or(0);
    }
  }
  return absl::OkStatus();
}

// What is missing has no default here: a case that is read wrongly would be judged wrongly.
absl::Status ReadSettings(const base::Json& json, OracleCase* oracle) {
  RM_ASSIGN_OR_RETURN(oracle->batch, Count(json, "batch"));
  RM_ASSIGN_OR_RETURN(oracle->steps, Count(json, "steps"));
  RM_ASSIGN_OR_RETURN(oracle->accumulate, Count(json, "accumulate"));
  RM_ASSIGN_OR_RETURN(const base::Json* loss, Member(json, "loss"));
  RM_ASSIGN_OR_RETURN(const base::Json* kind, Member(*loss, "kind"));
  oracle->model.set_loss(kind->string_or(""));
  if (const base::Json* clip = json.Find("clip")) oracle->clip = clip->number_or(0);
  RM_ASSIGN_OR_RETURN(const base::Json* losses, Member(json, "losses"));
  for (const base::Json& value : losses->array()) oracle->losses.push_back(value.number_or(0));
  RM_ASSIGN_OR_RETURN(const base::Json* optimizer, Member(json, "optimizer"));
  return ReadOptimizer(*optimizer, oracle);
}

}  // namespace

absl::StatusOr<OracleCase> ReadOracleCase(const std::string& folder) {
  base::FileSystem& files = base::PosixFileSystem();
  const auto path = [&](absl::string_view name) { return base::JoinPath(folder, name); };
  OracleCase oracle;
  oracle.folder = folder;
  oracle.name = base::BaseName(base::AbsolutePath(folder, "/"));
  RM_ASSIGN_OR_RETURN(const std::string text, files.ReadFile(path("case.json")));
  auto json = base::Json::Parse(text);
  if (!json.ok()) return base::Annotate(json.status(), path("case.json"));
  RM_RETURN_IF_ERROR(base::Annotate(ReadSettings(*json, &oracle), folder));
  oracle.model.set_onnx(path("model.onnx"));
  RM_ASSIGN_OR_RETURN(const base::Json* inputs, Member(*json, "inputs"));
  for (const auto& [name, input] : inputs->object()) {
    RM_ASSIGN_OR_RETURN(oracle.inputs[name],
                        tensorfile::NpyFile::Open(files, path(absl::StrCat(name, ".npy"))));
  }
  RM_ASSIGN_OR_RETURN(oracle.target, tensorfile::NpyFile::Open(files, path("target.npy")));
  RM_ASSIGN_OR_RETURN(oracle.gradients, tensorfile::NpzFile::Open(files, path("grads.npz")));
  RM_ASSIGN_OR_RETURN(oracle.final_values, tensorfile::NpzFile::Open(files, path("final.npz")));
  return oracle;
}

absl::Status CopyMicroBatch(const tensorfile::NpyFile& array, int64_t index, size_t bytes,
                            void* destination) {
  const int64_t count = array.shape().empty() ? 0 : array.shape()[0];
  if (index >= count || array.data_bytes() != static_cast<uint64_t>(count) * bytes) {
    return absl::InvalidArgumentError(absl::StrCat(array.path(), " has ", count,
                                                   " micro-batches in ", array.data_bytes(),
                                                   " bytes; number ", index, " of ", bytes,
                                                   " bytes is asked for"));
  }
  return array.Read(static_cast<uint64_t>(index) * bytes, bytes, destination);
}

}  // namespace rm::bench
