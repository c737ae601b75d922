#include "runtime/jobspec/value.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace rm::jobspec {
namespace {

YamlNode Node(const std::string& text) { return ParseYaml(text).root; }

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST_CASE("whole numbers are decimal, and nothing else") {
  const struct {
    const char* text;
    int64_t number;
  } good[] = {{"0", 0}, {"17", 17}, {"-3", -3}, {"+4", 4}, {"9223372036854775807", INT64_MAX}};
  for (const auto& test : good) CHECK(*ReadWhole("k", Node(test.text)) == test.number);
  const struct {
    const char *text, *message;
  } bad[] = {
      {"abc", "'k' must be a whole number, not 'abc'"},
      {"1.5", "'k' must be a whole number, not '1.5'"},
      {"1e3", "'k' must be a whole number, not '1e3'"},
      {"0x10", "'k' must be a whole number, not '0x10'"},
      {"010", "'k' must be a whole number, not '010'"},
      {"1_000", "'k' must be a whole number, not '1_000'"},
      {"\"3\"", "'k' must be a whole number, not the text \"3\""},
      {"true", "'k' must be a whole number, not 'true'"},
      {"", "'k' has no value; it must be a whole number"},
      {"~", "'k' has no value; it must be a whole number"},
      {"[1]", "'k' must be a whole number, not a list"},
      {"{a: 1}", "'k' must be a whole number, not a section"},
      {"9223372036854775808", "'k' must be a whole number of at most 19 digits, not "},
      {"-", "'k' must be a whole number"},
  };
  for (const auto& test : bad) {
    CAPTURE(test.text);
    const absl::Status status = ReadWhole("k", Node(test.text)).status();
    CHECK_THAT(MessageOf(status), Catch::StartsWith(test.message));
  }
}

TEST_CASE("numbers are finite decimals") {
  CHECK(*ReadNumber("k", Node("5e-2")) == 0.05);
  CHECK(*ReadNumber("k", Node("-1.5")) == -1.5);
  CHECK(*ReadNumber("k", Node(".5")) == 0.5);
  CHECK(*ReadNumber("k", Node("3")) == 3);
  for (const char* const text : {".nan", ".inf", "-.inf", "nan", "inf", "0x1p3", "1_0", "one", "e",
                                 "1.2.3", "--1", "'1'", "[]", "~", "+", "1e"}) {
    CAPTURE(text);
    CHECK_THAT(MessageOf(ReadNumber("k", Node(text)).status()), Catch::Contains("a number"));
  }
  CHECK(MessageOf(ReadNumber("k", Node("1e999")).status()) ==
        "'k' must be a finite number, not '1e999'");
}

TEST_CASE("flags are true or false") {
  for (const char* const text : {"true", "True", "TRUE"}) CHECK(*ReadFlag("k", Node(text)));
  for (const char* const text : {"false", "False"}) CHECK_FALSE(*ReadFlag("k", Node(text)));
  for (const char* const text : {"yes", "no", "on", "1", "'true'", "~", "[true]"}) {
    CHECK_THAT(MessageOf(ReadFlag("k", Node(text)).status()), Catch::Contains("true or false"));
  }
}

TEST_CASE("text is what stands there, whatever it looks like") {
  CHECK(*ReadText("k", Node("no")) == "no");
  CHECK(*ReadText("k", Node("017")) == "017");
  CHECK(*ReadText("k", Node("'null'")) == "null");
  CHECK_FALSE(ReadText("k", Node("null")).ok());
  CHECK_FALSE(ReadText("k", Node("[a]")).ok());
}

TEST_CASE("durations and sizes have units") {
  const Key& time = *FindKey("scheduling.time_limit");
  const Key& size = *FindKey("communication.bucket_size");
  CHECK(std::get<double>(*ReadValue(time, Node("1h30m"))) == 5400);
  CHECK(std::get<double>(*ReadValue(time, Node("500ms"))) == 0.5);
  CHECK(std::get<int64_t>(*ReadValue(size, Node("8MiB"))) == 8 << 20);
  CHECK(std::get<int64_t>(*ReadValue(size, Node("4096"))) == 4096);
  for (const char* const text : {"4", "4 hours", "-4h", "4y", "~", "[4h]", "h"}) {
    CAPTURE(text);
    CHECK_THAT(MessageOf(ReadValue(time, Node(text)).status()),
               Catch::StartsWith("'scheduling.time_limit'"));
  }
  for (const char* const text : {"8 Mega", "-1MiB", "MiB", "{a: b}"}) {
    CHECK_THAT(MessageOf(ReadValue(size, Node(text)).status()),
               Catch::StartsWith("'communication.bucket_size'"));
  }
}

TEST_CASE("a value out of range is told with the bounds") {
  const struct {
    const char* key;
    Value value;
    const char* message;
  } cases[] = {
      {"train.epochs", 0.0, "'train.epochs' must be above 0 and at most 1000000, not 0"},
      {"train.epochs", NAN, "'train.epochs' must be above 0 and at most 1000000, not nan"},
      {"train.steps", int64_t{0},
       "'train.steps' must be at least 1 and at most 10000000000, not 0"},
      {"scheduling.priority", int64_t{100},
       "'scheduling.priority' must be at least 0 and at most 99, not 100"},
      {"model.label_smoothing", 1.0,
       "'model.label_smoothing' must be at least 0 and below 1, not 1"},
      {"train.gradient_accumulation", int64_t{0},
       "'train.gradient_accumulation' must be at least 1 and at most 1000000, not 0"},
      {"kind", std::string("serve"), "'kind': 'serve' is not supported yet; possible: train"},
      {"kind", std::string("trian"),
       "'kind' cannot be 'trian' – did you mean 'train'?; possible: train"},
      {"checkpoint.on_error", std::string("explode"),
       "'checkpoint.on_error' cannot be 'explode'; possible: warn, fail"},
      {"data.train.path", std::string("a\nb"), "'data.train.path' has a control character in it"},
      {"data.train.path", std::string(5000, 'a'), "'data.train.path' is longer than 4096 bytes"},
  };
  for (const auto& test : cases) {
    CHECK(MessageOf(CheckValue(*FindKey(test.key), test.value)) == test.message);
  }
  CHECK(CheckValue(*FindKey("scheduling.priority"), int64_t{0}).ok());
  CHECK(CheckValue(*FindKey("kind"), std::string("train")).ok());
}

TEST_CASE("what is shown of a wrong value is short") {
  const absl::Status status = ReadWhole("k", Node(std::string(5000, 'a'))).status();
  CHECK(status.message().size() < 100);
}

TEST_CASE("numbers are written with the digits they need") {
  const struct {
    double number;
    const char* text;
  } cases[] = {{0, "0"}, {0.1, "0.1"}, {3, "3"}, {1e6, "1000000"}, {1e-4, "0.0001"},
               {0.05, "0.05"}, {1e300, "1e+300"}, {-2.5, "-2.5"}};
  for (const auto& test : cases) CHECK(WriteNumber(test.number) == test.text);
  base::RandomStream random(1, 1);
  for (int i = 0; i < 1000; ++i) {
    const double number = static_cast<double>(random.NextBits()) / 3e7;
    CHECK(std::stod(WriteNumber(number)) == number);
  }
}

TEST_CASE("texts are quoted where YAML would take them for something else") {
  for (const char* const text : {"mnist", "data/train", "/data/train", "softmax_cross_entropy"}) {
    CHECK(WriteText(text) == text);
  }
  for (const char* const text : {"", "no", "Null", "17", "a: b", "- a", "*a", "#a", "a b", "~", "ö",
                                 "\"", "\\", "a\tb", "1e3", "@a", "%a"}) {
    CAPTURE(text);
    const YamlTree tree = ParseYaml(WriteText(text));
    CHECK(tree.root.kind == YamlNode::Kind::kText);
    CHECK(tree.root.text == text);
  }
}

TEST_CASE("values are written so that they are read back") {
  const struct {
    const char* key;
    Value value;
    const char* text;
  } cases[] = {
      {"scheduling.time_limit", 5400.0, "5400s"},
      {"scheduling.time_limit", 0.5, "0.5s"},
      {"scheduling.time_limit", 0.0, "0s"},
      {"communication.bucket_size", int64_t{8388608}, "8388608"},
      {"train.epochs", 2.5, "2.5"},
      {"kind", std::string("train"), "train"},
  };
  for (const auto& test : cases) {
    const Key& key = *FindKey(test.key);
    CHECK(WriteValue(key, test.value) == test.text);
    CHECK(*ReadValue(key, Node(test.text)) == test.value);
  }
}

}  // namespace
}  // namespace rm::jobspec
