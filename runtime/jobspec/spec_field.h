// Fields of a JobSpec by their path: "train.optimizer.type", "checkpoint.keep_last".
#ifndef RM_RUNTIME_JOBSPEC_SPEC_FIELD_H_
#define RM_RUNTIME_JOBSPEC_SPEC_FIELD_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/job.pb.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/value.h"

namespace rm::jobspec {

namespace pb = ::ringmaster::v1;

// Whether the spec has such a field at all: keys of later versions may not.
[[nodiscard]] bool HasField(absl::string_view field);
// Whether it holds anything but zero and nothing (with presence: whether it is there).
[[nodiscard]] bool IsSet(const pb::JobSpec& spec, absl::string_view field);

// The value of a key's field, by the key's type. REQUIRES: a key of a single value, whose field the
// spec has.
[[nodiscard]] Value GetValue(const pb::JobSpec& spec, const Key& key);
void SetValue(const Key& key, const Value& value, pb::JobSpec* spec);

// The texts of a list. REQUIRES: a key of type kTextList.
[[nodiscard]] std::vector<std::string> GetTextList(const pb::JobSpec& spec, const Key& key);
void AddToTextList(const Key& key, const std::string& text, pb::JobSpec* spec);

// The maps of the spec by key path ("labels"; "model.params"). REQUIRES: a key of type kTextMap, or
// kNumberMap.
using TextMap = google::protobuf::Map<std::string, std::string>;
using NumberMap = google::protobuf::Map<std::string, double>;
[[nodiscard]] TextMap* MutableTextMap(absl::string_view path, pb::JobSpec* spec);
[[nodiscard]] NumberMap* MutableNumberMap(absl::string_view path, pb::JobSpec* spec);
// The lists of data.inputs, the one map of them.
using TextListMap = std::map<std::string, std::vector<std::string>>;
[[nodiscard]] TextListMap GetInputs(const pb::JobSpec& spec);
void SetInput(const std::string& name, const std::vector<std::string>& columns, pb::JobSpec* spec);
// Copies, in the order of names.
[[nodiscard]] std::map<std::string, std::string> GetTextMap(absl::string_view path,
                                                            const pb::JobSpec& spec);
[[nodiscard]] std::map<std::string, double> GetNumberMap(absl::string_view path,
                                                         const pb::JobSpec& spec);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_SPEC_FIELD_H_
