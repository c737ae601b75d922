// The schema says what the parser does: no more, and as much as a schema can say.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/overrides.h"
#include "runtime/jobspec/reference.h"
#include "runtime/jobspec/source_text.h"
#include "runtime/jobspec/testing.h"
#include "runtime/jobspec/testing_bad_files.h"
#include "runtime/jobspec/testing_schema.h"

namespace rm::jobspec {
namespace {

using base::Json;

const Json& Schema() {
  static const Json& schema = *new Json(Json::Parse(JsonSchema()).value());
  return schema;
}

// What a validator says of a job file.
std::string ProblemOf(absl::string_view yaml) {
  return SchemaProblem(Schema(), JsonOf(ParseYaml(yaml).root));
}

// The schema of the key at a path.
const Json* SchemaAt(absl::string_view path) {
  const Json* schema = &Schema();
  for (const absl::string_view name : absl::StrSplit(path, '.')) {
    const Json* properties = schema->Find("properties");
    schema = properties == nullptr ? nullptr : properties->Find(name);
    if (schema == nullptr) return nullptr;
  }
  return schema;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("every good job file fits") {
  for (const std::string& text : {SmallJob(), FullJob(), ToYaml(Parse(SmallJob()).spec),
                                  ToYaml(Parse(FullJob()).spec)}) {
    INFO(text);
    CHECK(ProblemOf(text) == "");
  }
}

TEST_CASE("every example fits, and is a job") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() != ".yaml") continue;
    CAPTURE(entry.path());
    const std::string text = ReadAll(entry.path());
    CHECK(Parse(text).ok());
    CHECK(ProblemOf(text) == "");
    ++files;
  }
  CHECK(files >= 2);
}

TEST_CASE("every bad file whose mistake a schema can state is refused, and no other one") {
  int refused = 0;
  for (const BadFile& file : BadFiles()) {
    const std::string yaml = Edited(SmallJob(), file.edits);
    const YamlTree tree = ParseYaml(yaml);
    const bool is_yaml = tree.complete && tree.errors.empty() && SourceText(yaml).Problems().empty();
    if (!is_yaml) continue;
    INFO(yaml);
    const std::string problem = SchemaProblem(Schema(), JsonOf(tree.root));
    CHECK(problem.empty() == file.only_parser);
    CHECK_FALSE(absl::StrContains(problem, "the checker does not know"));
    refused += problem.empty() ? 0 : 1;
  }
  CHECK(refused > 80);
}

TEST_CASE("every key is there with its purpose, and its default fits") {
  for (const Key& key : Keys()) {
    CAPTURE(key.path);
    const Json* schema = SchemaAt(key.path);
    REQUIRE((schema == nullptr) == (key.type == KeyType::kLater));
    if (schema == nullptr) continue;
    CHECK(absl::StartsWith(schema->Find("description")->string_or(""), key.doc));
    const Json* fallback = schema->Find("default");
    REQUIRE((fallback == nullptr) == key.fallback.empty());
    if (fallback != nullptr) CHECK(SchemaProblem(*schema, *fallback) == "");
  }
}

// Values of every type, right or wrong for a key.
constexpr const char* kValues[] = {
    "3",    "0",    "-1",   "1.5",  "1e30",   "true",   "false",  "text",     "'3'",  "''",
    "30s",  "5 m",  "1h2m", "2m1h", "-3s",    "8MiB",   "8 MiB",  "8MIB",     "1e3",  "[]",
    "[a]",  "{a: b}", "{a: 1}", "{}", "{min: 1, max: 1}", "{min: 1}", "idx", "train",
    "99999999999999",
    "fp32", "artifact:12", ".nan", ".inf", "0.1.2", "ö"};

// True when the parser finds fault with the key itself, or with what is below it.
bool ParserRefuses(const ParseResult& result, const std::string& path) {
  for (const Diagnostic& error : result.errors) {
    if (error.field_path == path || absl::StartsWith(error.field_path, path + ".")) return true;
  }
  return false;
}

// Bounds of what is written with a unit, lengths and characters are left to the parser; and to JSON
// 1e3 is a whole number.
bool MayBeLenient(const Key& key, absl::string_view value) {
  if (value == "1e3") return key.type == KeyType::kWhole || key.type == KeyType::kRanks;
  // Which source goes with which other is a relation.
  if (key.path == "data.validation.format" || key.path == "data.schema.types") return true;
  if (key.path == "train.global_batch_size" && value == "3") return true;  // fewer than ranks
  return key.type == KeyType::kDuration || key.type == KeyType::kBytes || value == "''" ||
         key.path == "train.virtual_shards" || key.path == "train.optimizer.params" ||
         key.path == "train.scheduler.params";
}

TEST_CASE("for every key and every kind of value, schema and parser agree") {
  int agreed = 0;
  for (const Key& key : Keys()) {
    if (key.type == KeyType::kLater || !Rivals(key.path).empty()) continue;
    for (const char* const value : kValues) {
      const std::vector<std::string> edit = {absl::StrCat(key.path, "=", value)};
      YamlNode root = ParseYaml(FullJob()).root;
      std::vector<Diagnostic> errors;
      REQUIRE(ApplyOverrides(edit, root, errors).size() == 1);
      const std::string problem = SchemaProblem(Schema(), JsonOf(root));
      const bool refused = ParserRefuses(Parse(FullJob(), edit), std::string(key.path));
      CAPTURE(key.path, value, problem, refused);
      if (!problem.empty()) CHECK(refused);
      if (problem.empty() && !MayBeLenient(key, value)) CHECK_FALSE(refused);
      ++agreed;
    }
  }
  CHECK(agreed > 1000);
}

TEST_CASE("of two keys that exclude each other a schema takes one") {
  const std::pair<std::string, std::string> epochs = {"epochs: 3", "epochs: 3\n  steps: 10"};
  CHECK(ProblemOf(Edited(SmallJob(), {epochs})) != "");
  CHECK(ProblemOf(Edited(SmallJob(), {{"epochs: 3", "steps: 10"}})) == "");
  CHECK(ProblemOf(Edited(SmallJob(), {{"epochs: 3", "seed: 1"}})) != "");
  const auto with = [](const char* every) {
    return absl::StrCat(SmallJob(), "checkpoint: {every: ", every, "}\n");
  };
  CHECK(ProblemOf(with("{steps: 10}")) == "");
  CHECK(ProblemOf(with("{seconds: 10}")) == "");
  CHECK(ProblemOf(with("{}")) == "");
  CHECK(ProblemOf(with("{steps: 10, seconds: 10}")) != "");
}

TEST_CASE("the checker refuses what it should: its word is trusted above") {
  const struct {
    const char *schema, *good, *bad;
  } cases[] = {
      {R"({"type": "integer"})", "3", "3.5"},
      {R"({"type": ["object", "null"]})", "null", "[]"},
      {R"({"enum": ["a", "b"]})", "\"b\"", "\"c\""},
      {R"({"const": 1})", "1", "2"},
      {R"({"pattern": "^a+$"})", "\"aa\"", "\"ab\""},
      {R"({"minLength": 1})", "\"a\"", "\"\""},
      {R"({"minimum": 1})", "1", "0.5"},
      {R"({"exclusiveMaximum": 1})", "0.5", "1"},
      {R"({"required": ["a"]})", R"({"a": 1})", "{}"},
      {R"({"properties": {"a": {"type": "null"}}})", R"({"b": 1})", R"({"a": 1})"},
      {R"({"properties": {"a": {}}, "additionalProperties": false})", R"({"a": 1})", R"({"b": 1})"},
      {R"({"additionalProperties": {"type": "number"}})", R"({"a": 1})", R"({"a": "1"})"},
      {R"({"dependentRequired": {"a": ["b"]}})", R"({"b": 1})", R"({"a": 1})"},
      {R"({"items": {"type": "string"}})", R"(["a"])", "[1]"},
      {R"({"anyOf": [{"type": "null"}, {"type": "string"}]})", "null", "1"},
      {R"({"oneOf": [{"minimum": 1}, {"minimum": 5}]})", "3", "7"},
      {R"({"not": {"type": "null"}})", "1", "null"},
      {R"({"allOf": [{"minimum": 1}, {"maximum": 2}]})", "1.5", "3"},
      {R"({"if": {"minimum": 5}, "then": {"maximum": 7}})", "1", "8"},
      {R"({"type": "null"})", "null", "0"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.schema);
    const Json schema = Json::Parse(c.schema).value();
    CHECK(SchemaProblem(schema, Json::Parse(c.good).value()) == "");
    CHECK(SchemaProblem(schema, Json::Parse(c.bad).value()) != "");
  }
  CHECK(SchemaProblem(Json::Parse(R"({"multipleOf": 2})").value(), Json(2)) ==
        ": the checker does not know 'multipleOf'");
}

}  // namespace
}  // namespace rm::jobspec
