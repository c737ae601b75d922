// By protobuf's reflection: the names of keys and fields are equal, so one table serves both, and a
// new key needs no code here. Not fast, and it need not be: a spec is read once a job.
#include "runtime/jobspec/spec_field.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/check.h"

namespace rm::jobspec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The descriptors on the way to a field, its own last; empty when there is no such field.
std::vector<const FieldDescriptor*> Resolve(absl::string_view field) {
  std::vector<const FieldDescriptor*> way;
  const Descriptor* message = pb::JobSpec::descriptor();
  for (const absl::string_view name : absl::StrSplit(field, '.')) {
    const FieldDescriptor* next =
        message == nullptr ? nullptr : message->FindFieldByName(std::string(name));
    if (next == nullptr) return {};
    way.push_back(next);
    message = next->message_type();
  }
  return way;
}

std::vector<const FieldDescriptor*> ResolveExisting(absl::string_view field) {
  std::vector<const FieldDescriptor*> way = Resolve(field);
  RM_CHECK(!way.empty(), "JobSpec has no field ", field);
  return way;
}

// The message that holds the last field of the way.
const Message& Holder(const pb::JobSpec& spec, const std::vector<const FieldDescriptor*>& way) {
  const Message* message = &spec;
  for (size_t i = 0; i + 1 < way.size(); ++i) {
    message = &message->GetReflection()->GetMessage(*message, way[i]);
  }
  return *message;
}

Message& MutableHolder(pb::JobSpec* spec, const std::vector<const FieldDescriptor*>& way) {
  Message* message = spec;
  for (size_t i = 0; i + 1 < way.size(); ++i) {
    message = message->GetReflection()->MutableMessage(message, way[i]);
  }
  return *message;
}

}  // namespace

bool HasField(absl::string_view field) { return !Resolve(field).empty(); }

// For a list: whether it has elements.
bool IsSet(const pb::JobSpec& spec, absl::string_view field) {
  const auto way = ResolveExisting(field);
  const Message& holder = Holder(spec, way);
  const auto* reflection = holder.GetReflection();
  if (way.back()->is_repeated()) return reflection->FieldSize(holder, way.back()) > 0;
  return reflection->HasField(holder, way.back());
}

// The types of proto/job.proto on one side, the three that a Value has on the other. A seed above
// 2⁶³ comes out negative, which is out of range: as it is.
Value GetValue(const pb::JobSpec& spec, const Key& key) {
  const auto way = ResolveExisting(key.field);
  const Message& holder = Holder(spec, way);
  const auto* reflection = holder.GetReflection();
  switch (way.back()->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return int64_t{reflection->GetInt32(holder, way.back())};
    case FieldDescriptor::CPPTYPE_INT64:
      return int64_t{reflection->GetInt64(holder, way.back())};
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<int64_t>(reflection->GetUInt64(holder, way.back()));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(holder, way.back());
    default:
      return reflection->GetString(holder, way.back());
  }
}

void SetValue(const Key& key, const Value& value, pb::JobSpec* spec) {
  const auto way = ResolveExisting(key.field);
  Message& holder = MutableHolder(spec, way);
  const auto* reflection = holder.GetReflection();
  switch (way.back()->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      // Out of range is wrong already and only has to stay wrong.
      const int64_t number = std::clamp<int64_t>(std::get<int64_t>(value), INT32_MIN, INT32_MAX);
      return reflection->SetInt32(&holder, way.back(), static_cast<int32_t>(number));
    }
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(&holder, way.back(), std::get<int64_t>(value));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->SetUInt64(&holder, way.back(),
                                   static_cast<uint64_t>(std::get<int64_t>(value)));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->SetDouble(&holder, way.back(), std::get<double>(value));
    default:
      return reflection->SetString(&holder, way.back(), std::get<std::string>(value));
  }
}

std::vector<std::string> GetTextList(const pb::JobSpec& spec, const Key& key) {
  const auto way = ResolveExisting(key.field);
  const Message& holder = Holder(spec, way);
  std::vector<std::string> texts;
  for (int i = 0; i < holder.GetReflection()->FieldSize(holder, way.back()); ++i) {
    texts.push_back(holder.GetReflection()->GetRepeatedString(holder, way.back(), i));
  }
  return texts;
}

void AddToTextList(const Key& key, const std::string& text, pb::JobSpec* spec) {
  const auto way = ResolveExisting(key.field);
  Message& holder = MutableHolder(spec, way);
  holder.GetReflection()->AddString(&holder, way.back(), text);
}

// Maps are few, so they are named here and not looked up by reflection.
TextMap* MutableTextMap(absl::string_view path, pb::JobSpec* spec) {
  if (path == "labels") return spec->mutable_labels();
  if (path == "data.schema.types") return spec->mutable_data()->mutable_schema()->mutable_types();
  RM_CHECK(path == "resources.node_selector", path);
  return spec->mutable_resources()->mutable_node_selector();
}

NumberMap* MutableNumberMap(absl::string_view path, pb::JobSpec* spec) {
  if (path == "model.params") return spec->mutable_model()->mutable_params();
  if (path == "train.optimizer.params") {
    return spec->mutable_train()->mutable_optimizer()->mutable_params();
  }
  RM_CHECK(path == "train.scheduler.params", path);
  return spec->mutable_train()->mutable_scheduler()->mutable_params();
}

TextListMap GetInputs(const pb::JobSpec& spec) {
  TextListMap inputs;
  for (const auto& [name, list] : spec.data().inputs()) {
    inputs[name].assign(list.columns().begin(), list.columns().end());
  }
  return inputs;
}

void SetInput(const std::string& name, const std::vector<std::string>& columns, pb::JobSpec* spec) {
  auto& list = (*spec->mutable_data()->mutable_inputs())[name];
  list.mutable_columns()->Assign(columns.begin(), columns.end());
}

std::map<std::string, std::string> GetTextMap(absl::string_view path, const pb::JobSpec& spec) {
  const TextMap& map = path == "labels"              ? spec.labels()
                       : path == "data.schema.types" ? spec.data().schema().types()
                                                     : spec.resources().node_selector();
  return {map.begin(), map.end()};
}

std::map<std::string, double> GetNumberMap(absl::string_view path, const pb::JobSpec& spec) {
  const NumberMap& map = path == "model.params" ? spec.model().params()
                         : path == "train.optimizer.params"
                             ? spec.train().optimizer().params()
                             : spec.train().scheduler().params();
  return {map.begin(), map.end()};
}

}  // namespace rm::jobspec
