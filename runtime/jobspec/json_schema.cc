// Section by section along the table. Where the parser is more lenient than a schema would be by
// habit (a section may be empty, a text may look like a number), the schema says so, too: an editor
// must not mark as wrong what is accepted.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "runtime/jobspec/components.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/reference.h"

namespace rm::jobspec {
namespace {

using base::Json;

// base/units.h as a regular expression: parts from the longest unit to the shortest, at least one.
constexpr char kDurationPattern[] =
    "^(?=.)([0-9]+(\\.[0-9]+)?d)?([0-9]+(\\.[0-9]+)?h)?([0-9]+(\\.[0-9]+)?m)?"
    "([0-9]+(\\.[0-9]+)?s)?([0-9]+(\\.[0-9]+)?ms)?$";
// A blank before the unit is allowed, as base::FormatBytes writes one.
constexpr char kBytesPattern[] = "^[0-9]+(\\.[0-9]+)? ?([KMGT]i?B|B)?$";
// Any path, or the name of an artifact in full: half a digest is a slip and not a path.
constexpr char kArtifactPattern[] = "^(?!artifact:)|^artifact:[0-9a-f]{64}$";

// {"type": [a, b]}, or {"type": a} for one.
Json Types(const std::vector<const char*>& names) {
  if (names.size() == 1) return Json().Set("type", names[0]);
  return Json().Set("type", Json(Json::Array(names.begin(), names.end())));
}

// What YAML's scalars may be where the parser wants a text: 2024 and true are texts to it, too.
Json TextTypes() { return Types({"string", "number", "boolean"}); }

// A bound as one would write it: whole numbers without a fraction.
Json Bound(double bound) {
  const bool whole = bound == std::floor(bound) && std::fabs(bound) < 1e15;
  return whole ? Json(static_cast<int64_t>(bound)) : Json(bound);
}

// Only bounds that there are: an infinite one has no form in JSON.
void AddRange(const Range& range, Json& schema) {
  if (std::isfinite(range.min)) {
    schema.Set(range.above_min ? "exclusiveMinimum" : "minimum", Bound(range.min));
  }
  if (std::isfinite(range.max)) {
    schema.Set(range.below_max ? "exclusiveMaximum" : "maximum", Bound(range.max));
  }
}

// An object whose members are `properties`, and no others.
Json Closed(Json properties) {
  return Json().Set("properties", std::move(properties)).Set("additionalProperties", false);
}

// What is obeyed today. Choices of later versions are left out, so that an editor marks them as the
// parser refuses them; the description names them.
Json ChoiceSchema(const Key& key) {
  Json values;
  for (const absl::string_view choice : absl::StrSplit(key.choices, '|')) values.Add(choice);
  return Json().Set("enum", std::move(values));
}

// A number, or bounds. That the bounds must be equal until jobs are elastic is a relation, which is
// the parser's to refuse.
Json RanksSchema(const Key& key) {
  Json count = Types({"integer"});
  AddRange(key.range, count);
  Json bounds = Types({"object"});
  const Json closed = Closed(Json().Set("min", count).Set("max", count));
  for (const auto& [name, value] : closed.object()) bounds.Set(name, value);
  bounds.Set("required", Json(Json::Array{"min", "max"}));
  return Json().Set("anyOf", Json(Json::Array{count, bounds}));
}

// A size is a text with a unit, or a plain number of bytes.
Json BytesSchema(const Key& key) {
  Json number = Types({"integer"});
  AddRange(key.range, number);
  Json text = Types({"string"});
  text.Set("pattern", kBytesPattern);
  return Json().Set("anyOf", Json(Json::Array{text, number}));
}

// Names are the user's; which parameters there are is said by ComponentRule, or known to the model.
Json MapSchema(const Json& entry) {
  return Types({"object", "null"}).Set("additionalProperties", entry);
}

// By type alone: what a key may be, without what is said of it. Every type has its line here, and the
// compiler asks for that of a new one.
Json TypeSchema(const Key& key) {
  switch (key.type) {
    case KeyType::kChoice: return ChoiceSchema(key);
    case KeyType::kWhole: return Types({"integer"});
    case KeyType::kNumber: return Types({"number"});
    case KeyType::kDuration: return Types({"string"}).Set("pattern", kDurationPattern);
    case KeyType::kBytes: return BytesSchema(key);
    case KeyType::kRanks: return RanksSchema(key);
    case KeyType::kTextList: return Types({"array", "null"}).Set("items", TextTypes());
    case KeyType::kTextMap:
      return MapSchema(key.choices.empty() ? TextTypes() : ChoiceSchema(key));
    case KeyType::kTextListMap:
      return MapSchema(Types({"array"}).Set("items", TextTypes()));
    case KeyType::kNumberMap: return MapSchema(Types({"number", "boolean"}));
    case KeyType::kFile: return TextTypes().Set("pattern", kArtifactPattern);
    case KeyType::kText:
    case KeyType::kPath:
    case KeyType::kLater: return TextTypes();
  }
  return Json();
}

// The default in the type that the file would have.
Json DefaultOf(const Key& key) {
  int64_t whole = 0;
  double number = 0;
  const bool counts = key.type == KeyType::kWhole || key.type == KeyType::kRanks;
  if (counts && absl::SimpleAtoi(key.fallback, &whole)) return Json(whole);
  if (key.type == KeyType::kNumber && absl::SimpleAtod(key.fallback, &number)) return Bound(number);
  return Json(key.fallback);
}

// Editors show it beside the key; what will be possible some day is asked for often enough.
std::string DescriptionOf(const Key& key) {
  if (key.later.empty() || key.type != KeyType::kChoice) return std::string(key.doc);
  return absl::StrCat(key.doc, " (not supported yet: ",
                      absl::StrJoin(absl::StrSplit(key.later, '|'), ", "), ")");
}

// A key with all that is known of it. The order of the members is that in which people read them:
// first what it is for, then what it may be, then what it is when it is not given.
Json KeySchema(const Key& key) {
  Json schema = Json().Set("description", DescriptionOf(key));
  const Json type = TypeSchema(key);
  for (const auto& [name, value] : type.object()) schema.Set(name, value);
  if (key.type == KeyType::kWhole || key.type == KeyType::kNumber) AddRange(key.range, schema);
  if (!key.pattern.empty()) {
    // A name may be all digits, which YAML takes for a number: but not for one below 0.
    schema.Set("type", Json(Json::Array{"string", "integer", "boolean"}));
    schema.Set("pattern", key.pattern).Set("minimum", 0);
  }
  const bool is_text = key.type == KeyType::kText || key.type == KeyType::kPath;
  if (is_text && (key.required || key.required_in_section)) schema.Set("minLength", 1);
  if (!key.fallback.empty()) schema.Set("default", DefaultOf(key));
  return schema;
}

// ---- What must, and what must not, stand together ----

// True when the component that is taken unless another is named needs parameters.
bool DefaultNeedsParams(absl::string_view section) {
  const Key* type = FindKey(JoinKey(section, "type"));
  const Component* component =
      type == nullptr ? nullptr : FindComponent(section, type->fallback);
  if (component == nullptr) return false;
  for (const Param& param : component->params) {
    if (param.required) return true;
  }
  return false;
}

// Of rivals without a default one must be given.
bool HasDefault(const std::vector<absl::string_view>& group) {
  return std::any_of(group.begin(), group.end(), [](absl::string_view path) {
    return !FindKey(path)->fallback.empty();
  });
}

// A key is needed when the table says so; a section when something in it is.
bool IsNeeded(absl::string_view path) {
  if (const Key* key = FindKey(path)) {
    return key->required || (NameOf(path) == "params" && DefaultNeedsParams(SectionOf(path)));
  }
  for (const auto& group : RivalGroups()) {
    if (SectionOf(group.front()) == path && !HasDefault(group)) return true;
  }
  for (const absl::string_view name : NamesIn(path)) {
    if (IsNeeded(JoinKey(path, name))) return true;
  }
  return false;
}

// Of rivals one must be given where none has a default, and never two.
void AddRivals(absl::string_view section, Json& rules) {
  for (const auto& group : RivalGroups()) {
    if (SectionOf(group.front()) != section) continue;
    Json one_of, all;
    for (const absl::string_view path : group) {
      one_of.Add(Json().Set("required", Json(Json::Array{NameOf(path)})));
      all.Add(NameOf(path));
    }
    // Without a default one is needed, and IsNeeded says so of the section.
    rules.Add(HasDefault(group) ? Json().Set("not", Json().Set("required", std::move(all)))
                          : Json().Set("oneOf", std::move(one_of)));
  }
}

// A flag is written as true or false, though it is a number in the spec.
Json ParamSchema(const Param& param) {
  Json schema = Json().Set("description", param.doc).Set("type",
                                                         param.is_flag ? "boolean" : "number");
  if (!param.is_flag) AddRange(param.range, schema);
  return schema;
}

// If this component is chosen (for the default: or none is), these are its parameters.
Json ComponentRule(const Component& component) {
  Json properties, required;
  for (const Param& param : component.params) {
    properties.Set(param.name, ParamSchema(param));
    if (param.required) required.Add(param.name);
  }
  if (properties.is_null()) properties = Json(Json::Object());
  Json params = Closed(std::move(properties));
  if (!required.is_null()) params.Set("type", "object").Set("required", std::move(required));
  Json chosen = Json().Set(
      "properties", Json().Set("type", Json().Set("const", component.type)));
  const bool is_default =
      FindKey(JoinKey(component.section, "type"))->fallback == component.type;
  if (!is_default) chosen.Set("required", Json(Json::Array{"type"}));
  return Json()
      .Set("if", std::move(chosen))
      .Set("then", Json().Set("properties", Json().Set("params", std::move(params))));
}

// Keys that are needed as soon as their section has any other.
void AddDependencies(absl::string_view section, Json& schema) {
  Json dependencies;
  for (const absl::string_view name : NamesIn(section)) {
    Json needed;
    for (const absl::string_view other : NamesIn(section)) {
      const Key* key = FindKey(JoinKey(section, other));
      if (other != name && key != nullptr && key->required_in_section) needed.Add(other);
    }
    if (!needed.is_null()) dependencies.Set(name, std::move(needed));
  }
  if (!dependencies.is_null()) schema.Set("dependentRequired", std::move(dependencies));
}

// A section and all below it. "additionalProperties: false" does the most of the work: it finds slips
// of the hand, keys of other tools, and keys of later versions alike, as the parser does.
Json SectionSchema(absl::string_view section) {
  Json properties, required, rules;
  for (const absl::string_view name : NamesIn(section)) {
    const std::string path = JoinKey(section, name);
    const Key* key = FindKey(path);
    properties.Set(name, key != nullptr ? KeySchema(*key) : SectionSchema(path));
    if (IsNeeded(path)) required.Add(name);
  }
  AddRivals(section, rules);
  for (const Component& component : Components()) {
    if (component.section == section) rules.Add(ComponentRule(component));
  }
  // All keys of a section may be commented out, unless one is needed.
  Json schema = required.is_null() ? Types({"object", "null"}) : Types({"object"});
  const Json closed = Closed(std::move(properties));
  for (const auto& [name, value] : closed.object()) schema.Set(name, value);
  if (!required.is_null()) schema.Set("required", std::move(required));
  AddDependencies(section, schema);
  if (!rules.is_null()) schema.Set("allOf", std::move(rules));
  return schema;
}

}  // namespace

// The id is a name and no address: nothing is fetched from anywhere to check a job file.
std::string JsonSchema() {
  Json schema = Json()
                    .Set("$schema", "https://json-schema.org/draft/2020-12/schema")
                    .Set("$id", "urn:ringmaster:jobspec:v1")
                    .Set("title", "Ringmaster job file");
  const Json whole = SectionSchema("");
  for (const auto& [name, value] : whole.object()) schema.Set(name, value);
  return schema.Dump(2) + "\n";
}

}  // namespace rm::jobspec
