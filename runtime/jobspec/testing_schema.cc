#include "runtime/jobspec/testing_schema.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rm::jobspec {
namespace {

using base::Json;

bool HasType(const Json& value, const std::string& type) {
  if (type == "integer") {
    const double number = value.number_or(0.5);
    return value.is_int() || (value.is_number() && std::isfinite(number) &&
                               number == std::floor(number));
  }
  return (type == "null" && value.is_null()) || (type == "boolean" && value.is_bool()) ||
         (type == "number" && value.is_number()) || (type == "string" && value.is_string()) ||
         (type == "array" && value.is_array()) || (type == "object" && value.is_object());
}

bool HasAnyType(const Json& value, const Json& types) {
  if (types.is_string()) return HasType(value, types.string_or(""));
  return std::any_of(types.array().begin(), types.array().end(),
                     [&](const Json& type) { return HasType(value, type.string_or("")); });
}

bool HasAll(const Json& value, const Json& names) {
  return std::all_of(names.array().begin(), names.array().end(), [&](const Json& name) {
    return value.Find(name.string_or("")) != nullptr;
  });
}

// Comparisons are written so that NaN fails them.
bool KeepsBound(const std::string& keyword, const Json& bound, const Json& value) {
  if (!value.is_number()) return true;
  const double limit = bound.number_or(std::numeric_limits<double>::quiet_NaN());
  const double number = value.number_or(0);
  if (keyword == "minimum") return number >= limit;
  if (keyword == "maximum") return number <= limit;
  if (keyword == "exclusiveMinimum") return number > limit;
  return number < limit;
}

int CountFits(const Json& schemas, const Json& value) {
  return static_cast<int>(
      std::count_if(schemas.array().begin(), schemas.array().end(),
                    [&](const Json& schema) { return SchemaProblem(schema, value).empty(); }));
}

// Keywords that look at the members of an object.
std::string MembersProblem(const Json& schema, const Json& value) {
  const Json* properties = schema.Find("properties");
  const Json* others = schema.Find("additionalProperties");
  for (const auto& [name, member] : value.object()) {
    const Json* known = properties == nullptr ? nullptr : properties->Find(name);
    if (known == nullptr && others != nullptr && others->is_bool() && !others->bool_or(true)) {
      return absl::StrCat("/", name, ": unknown");
    }
    const Json* judge = known != nullptr ? known : others;
    if (judge == nullptr || judge->is_bool()) continue;
    const std::string problem = SchemaProblem(*judge, member);
    if (!problem.empty()) return absl::StrCat("/", name, problem);
  }
  const Json* dependencies = schema.Find("dependentRequired");
  if (dependencies == nullptr || !value.is_object()) return "";
  for (const auto& [name, needed] : dependencies->object()) {
    if (value.Find(name) != nullptr && !HasAll(value, needed)) {
      return absl::StrCat(": ", name, " needs ", needed.Dump());
    }
  }
  return "";
}

// Keywords that are made of other schemas.
std::string CombinedProblem(const Json& schema, const Json& value) {
  const Json *any = schema.Find("anyOf"), *one = schema.Find("oneOf"), *all = schema.Find("allOf");
  if (any != nullptr && CountFits(*any, value) == 0) return ": fits none of anyOf";
  if (one != nullptr && CountFits(*one, value) != 1) return ": does not fit exactly one of oneOf";
  const Json* no = schema.Find("not");
  if (no != nullptr && SchemaProblem(*no, value).empty()) return ": fits what it must not";
  if (all != nullptr) {
    for (const Json& each : all->array()) {
      const std::string problem = SchemaProblem(each, value);
      if (!problem.empty()) return problem;
    }
  }
  const Json* condition = schema.Find("if");
  if (condition == nullptr || !SchemaProblem(*condition, value).empty()) return "";
  return SchemaProblem(*schema.Find("then"), value);
}

// One keyword that looks at the value alone.
std::string SingleProblem(const std::string& keyword, const Json& rule, const Json& value) {
  bool fits = true;
  if (keyword == "type") fits = HasAnyType(value, rule);
  if (keyword == "const") fits = value == rule;
  if (keyword == "enum") {
    fits = std::find(rule.array().begin(), rule.array().end(), value) != rule.array().end();
  }
  if (keyword == "pattern" && value.is_string()) {
    fits = std::regex_search(value.string_or(""), std::regex(rule.string_or("")));
  }
  if (keyword == "minLength" && value.is_string()) {
    fits = static_cast<int64_t>(value.string_or("").size()) >= rule.int_or(0);
  }
  if (keyword == "minimum" || keyword == "maximum" || keyword == "exclusiveMinimum" ||
      keyword == "exclusiveMaximum") {
    fits = KeepsBound(keyword, rule, value);
  }
  if (keyword == "required") fits = !value.is_object() || HasAll(value, rule);
  return fits ? "" : absl::StrCat(": breaks ", keyword, " ", rule.Dump());
}

bool IsKnown(const std::string& keyword) {
  static const auto& known = *new std::vector<std::string>{
      "$schema", "$id", "title", "description", "default", "type", "const", "enum", "pattern",
      "minLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "required",
      "properties", "additionalProperties", "dependentRequired", "items", "anyOf", "oneOf", "allOf",
      "not", "if", "then"};
  return std::find(known.begin(), known.end(), keyword) != known.end();
}

// Plain text as YAML 1.2 reads it.
Json ScalarOf(const std::string& text) {
  int64_t whole = 0;
  double number = 0;
  if (text.empty()) return Json();
  if (text == "true" || text == "false") return Json(text == "true");
  if (text == ".nan") return Json(std::numeric_limits<double>::quiet_NaN());
  if (text == ".inf") return Json(std::numeric_limits<double>::infinity());
  static const std::regex& is_whole = *new std::regex("[-+]?[0-9]+");
  static const std::regex& is_number =
      *new std::regex("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  if (std::regex_match(text, is_whole) && absl::SimpleAtoi(text, &whole)) return Json(whole);
  if (std::regex_match(text, is_number) && absl::SimpleAtod(text, &number)) return Json(number);
  return Json(text);
}

}  // namespace

std::string SchemaProblem(const Json& schema, const Json& value) {
  for (const auto& [keyword, rule] : schema.object()) {
    if (!IsKnown(keyword)) return absl::StrCat(": the checker does not know '", keyword, "'");
    const std::string problem = SingleProblem(keyword, rule, value);
    if (!problem.empty()) return problem;
  }
  const Json* items = schema.Find("items");
  for (size_t i = 0; items != nullptr && i < value.array().size(); ++i) {
    const std::string problem = SchemaProblem(*items, value.array()[i]);
    if (!problem.empty()) return absl::StrCat("/", i, problem);
  }
  const std::string problem = MembersProblem(schema, value);
  return problem.empty() ? CombinedProblem(schema, value) : problem;
}

Json JsonOf(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kText) {
    return node.quoted ? Json(node.text) : ScalarOf(node.text);
  }
  if (node.kind == YamlNode::Kind::kList) {
    Json::Array list;
    for (const YamlNode& element : node.elements) list.push_back(JsonOf(element));
    return Json(std::move(list));
  }
  if (node.kind == YamlNode::Kind::kNull) return Json();
  Json::Object members;
  for (const YamlMember& member : node.members) {
    members.emplace_back(member.name, JsonOf(member.value));
  }
  return Json(std::move(members));
}

}  // namespace rm::jobspec
