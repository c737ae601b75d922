#include "runtime/data/csv_schema.h"

#include <catch2/catch.hpp>
#include <limits>

namespace rm::data {
namespace {

namespace pb = ::ringmaster::v1;
using Type = CsvColumn::Type;

const std::vector<std::string> kHeader = {"age", "city", "outcome", "weight"};

pb::SchemaSpec Schema(const std::vector<std::string>& features, const std::string& label) {
  pb::SchemaSpec schema;
  for (const std::string& feature : features) schema.add_features(feature);
  schema.set_label(label);
  return schema;
}

TEST_CASE("the features are those named, in that order, or all columns but the label") {
  const auto named = ResolveSchema(Schema({"weight", "age"}, "outcome"), kHeader);
  REQUIRE(named.ok());
  REQUIRE(named->features.size() == 2);
  CHECK(named->features[0].name == "weight");
  CHECK(named->features[1].name == "age");
  CHECK(named->label.name == "outcome");
  CHECK(named->width() == 2);
  CHECK(*FindColumns(*named, kHeader) == std::vector<size_t>{3, 0, 2});
  CHECK(*FindColumns(*named, {"outcome", "age", "weight"}) == std::vector<size_t>{2, 1, 0});

  const auto all = ResolveSchema(Schema({}, "outcome"), kHeader);
  REQUIRE(all.ok());
  REQUIRE(all->features.size() == 3);
  CHECK(all->features[2].name == "weight");
}

TEST_CASE("what is not named is float, the label int") {
  pb::SchemaSpec schema = Schema({}, "outcome");
  (*schema.mutable_types())["city"] = "category";
  (*schema.mutable_types())["weight"] = "int";
  const auto encoding = ResolveSchema(schema, kHeader);
  REQUIRE(encoding.ok());
  CHECK(encoding->features[0].type == Type::kFloat);
  CHECK(encoding->features[1].type == Type::kCategory);
  CHECK(encoding->features[2].type == Type::kInt);
  CHECK(encoding->label.type == Type::kInt);
  CHECK(encoding->missing == CsvMissing::kError);
}

TEST_CASE("a category is as wide as it has values") {
  CsvEncoding encoding;
  encoding.features.resize(2);
  encoding.features[1].type = Type::kCategory;
  encoding.features[1].categories = {"a", "b", "c"};
  CHECK(encoding.width() == 4);
}

TEST_CASE("a schema that does not fit the file is refused with the key and a suggestion") {
  pb::SchemaSpec types = Schema({"age"}, "outcome");
  (*types.mutable_types())["citty"] = "category";
  pb::SchemaSpec word = Schema({"age"}, "outcome");
  (*word.mutable_types())["age"] = "flot";
  pb::SchemaSpec label = Schema({}, "outcome");
  (*label.mutable_types())["outcome"] = "float";
  pb::SchemaSpec missing = Schema({}, "outcome");
  missing.set_missing("median");
  const struct {
    pb::SchemaSpec schema;
    const char* message;
  } cases[] = {
      {pb::SchemaSpec(), "data.schema.label is missing: a csv file needs the name of the column that "
                         "is to be predicted"},
      {Schema({}, "outcom"), "data.schema.label: the file has no column 'outcom' – did you mean "
                             "'outcome'? It has age, city, outcome, weight"},
      {Schema({"age", "weigth"}, "outcome"),
       "data.schema.features: the file has no column 'weigth' – did you mean 'weight'? It has age, "
       "city, outcome, weight"},
      {Schema({"zzz"}, "outcome"),
       "data.schema.features: the file has no column 'zzz'; it has age, city, outcome, weight"},
      {Schema({"age", "outcome"}, "outcome"), "data.schema.features: 'outcome' is the label"},
      {types, "data.schema.types: the file has no column 'citty' – did you mean 'city'? It has age, "
              "city, outcome, weight"},
      {word, "data.schema.types.age cannot be 'flot' – did you mean 'float'?; possible: float, int, "
             "category"},
      {label, "data.schema.types.outcome: a label is int or category, not float"},
      {missing, "data.schema.missing cannot be 'median'; possible: error, zero, mean"},
  };
  for (const auto& test : cases) {
    CHECK(ResolveSchema(test.schema, kHeader).status() ==
          absl::InvalidArgumentError(test.message));
  }
  CHECK(ResolveSchema(Schema({}, "y"), std::vector<std::string>{"y"}).status() ==
        absl::InvalidArgumentError("data.schema: the file has no column but the label"));
}

TEST_CASE("a file without a column that the training file has is refused") {
  const auto encoding = ResolveSchema(Schema({"age"}, "outcome"), kHeader);
  REQUIRE(encoding.ok());
  CHECK(FindColumns(*encoding, {"outcome", "Age"}).status() ==
        absl::InvalidArgumentError("data.schema.features: the file has no column 'age' – did you "
                                   "mean 'Age'? It has outcome, Age"));
}

TEST_CASE("of a thousand columns only some are listed") {
  std::vector<std::string> header;
  for (int i = 0; i < 1000; ++i) header.push_back("column" + std::to_string(i));
  const std::string message(ResolveSchema(Schema({}, "y"), header).status().message());
  CHECK(message.size() < 300);
  CHECK(message.find("column11, … (1000 in all)") != std::string::npos);
}

TEST_CASE("floats are decimal numbers within float32, with or without spaces") {
  const struct {
    const char* text;
    float value;
  } good[] = {{"1.5", 1.5F},   {"-2", -2.0F},     {" 3 ", 3.0F},   {"1e-3", 0.001F}, {"+4", 4.0F},
              {".5", 0.5F},    {"5.", 5.0F},      {"\t6", 6.0F},   {"1E2", 100.0F},  {"-0", -0.0F},
              {"1e-50", 0.0F}, {"-1e-400", 0.0F}, {"3.4028235e38", 3.4028235e38F},
              {"16777217", 16777216.0F}, {"1e-45", std::numeric_limits<float>::denorm_min()}};
  for (const auto& test : good) {
    CAPTURE(test.text);
    float value = -1;
    CHECK(ParseCsvFloat(test.text, &value) == nullptr);
    CHECK(value == test.value);
  }
  const struct {
    const char* text;
    const char* reason;
  } bad[] = {{"", "is not a float"},         {"abc", "is not a float"},
             {"1.5x", "is not a float"},     {"1,5", "is not a float"},
             {"0x10", "is not a float"},     {"1_000", "is not a float"},
             {"--1", "is not a float"},      {"+-1", "is not a float"},
             {"1 2", "is not a float"},      {"1e", "is not a float"},
             {"nan", "is not a finite number"},  {"inf", "is not a finite number"},
             {"-Infinity", "is not a finite number"},
             {"1e39", "is beyond the range of float32"},
             {"-1e400", "is beyond the range of float32"},
             {"3.5e38", "is beyond the range of float32"}};
  for (const auto& test : bad) {
    CAPTURE(test.text);
    float value = 0;
    const char* const reason = ParseCsvFloat(test.text, &value);
    REQUIRE(reason != nullptr);
    CHECK(std::string(reason) == test.reason);
  }
}

TEST_CASE("whole numbers have 64 bits") {
  int64_t value = 0;
  for (const auto& [text, wanted] : std::vector<std::pair<std::string, int64_t>>{
           {"0", 0}, {" -17", -17}, {"+3", 3}, {"007", 7},
           {"9223372036854775807", std::numeric_limits<int64_t>::max()}}) {
    CHECK(ParseCsvInt(text, &value) == nullptr);
    CHECK(value == wanted);
  }
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "is not a whole number"}, {"1.0", "is not a whole number"},
           {"1e3", "is not a whole number"}, {"x", "is not a whole number"},
           {"9223372036854775808", "is beyond 64 bits"}}) {
    CAPTURE(text);
    REQUIRE(ParseCsvInt(text, &value) != nullptr);
    CHECK(ParseCsvInt(text, &value) == reason);
  }
}

}  // namespace
}  // namespace rm::data
