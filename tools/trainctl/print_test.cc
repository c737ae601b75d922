#include "tools/trainctl/print.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "proto/api.pb.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using base::Json;

TEST_CASE("columns are as wide as their widest cell, counted in characters, and lines end clean") {
  CHECK(FormatTable({{"ID", "STATE", "REASON"},
                     {"a-long-one", "Run", ""},
                     {"b", "Größe", "x"},
                     {"c", "–", "tail"}}) ==
        "ID          STATE  REASON\n"
        "a-long-one  Run\n"
        "b           Größe  x\n"
        "c           –      tail\n");
  CHECK(FormatTable({{"ONLY"}}) == "ONLY\n");
  CHECK(FormatTable({}) == "");
}

TEST_CASE("rows may be shorter than the head, and a line break in a cell makes no second line") {
  CHECK(FormatTable({{"A", "B"}, {"1"}, {"two\nlines", "2"}}) ==
        "A          B\n"
        "1\n"
        "two lines  2\n");
}

TEST_CASE("a message is JSON under its proto names, with what is not set") {
  pb::JobProgress progress;
  progress.set_step(7);
  progress.set_loss(0.5);
  const auto json = Json::Parse(ToJsonText(progress));
  REQUIRE(json.ok());
  CHECK(json->Find("step")->string_or("") == "7");  // 64-bit integers are strings, as proto3 says
  CHECK(json->Find("loss")->number_or(0) == 0.5);
  CHECK(json->Find("total_steps")->string_or("") == "0");
  CHECK(ToJsonText(progress).find('\n') == std::string::npos);
}

TEST_CASE("YAML holds what the JSON value holds") {
  const struct {
    std::string json;
    std::string yaml;
  } cases[] = {
      {"1", "1\n"},
      {"\"a: b\"", "\"a: b\"\n"},
      {"[]", "[]\n"},
      {"{}", "{}\n"},
      {R"({"a": 1, "b": "x", "c": null, "d": true})", "a: 1\nb: \"x\"\nc: null\nd: true\n"},
      {R"({"a": {"b": {"c": 1}}, "d": {}, "e": []})", "a:\n  b:\n    c: 1\nd: {}\ne: []\n"},
      {R"({"list": [1, [2, 3], {"k": "v"}]})",
       "list:\n  - 1\n  -\n    - 2\n    - 3\n  -\n    k: \"v\"\n"},
      {R"([{"a": 1}, {}])", "-\n  a: 1\n- {}\n"},
      {R"({"validation/accuracy": 0.5, "plain_1.x-y": 1})",
       "validation/accuracy: 0.5\nplain_1.x-y: 1\n"},
      {R"({"yes": 1, "No": 2, "12": 3, "": 4, "a b": 5, "-x": 6, "a:": 7})",
       "\"yes\": 1\n\"No\": 2\n\"12\": 3\n\"\": 4\n\"a b\": 5\n\"-x\": 6\n\"a:\": 7\n"},
      {R"({"text": "two\nlines \u0007"})", "text: \"two\\nlines \\u0007\"\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.json);
    CHECK(ToYamlText(*Json::Parse(c.json)) == c.yaml);
  }
}

TEST_CASE("one message is an object, several are a list, none is an empty one") {
  pb::Holder a, b;
  a.set_job_id("a");
  b.set_job_id("b");
  CHECK(Json::Parse(FormatMessage(a, "json"))->Find("job_id")->string_or("") == "a");
  CHECK(FormatMessage(a, "yaml") == "job_id: \"a\"\nworker_id: \"\"\nslots: 0\n");
  CHECK(Json::Parse(FormatList({&a, &b}, "json"))->array().size() == 2);
  CHECK(Json::Parse(FormatList({&a}, "json"))->array().size() == 1);
  CHECK(FormatList({}, "json") == "[]\n");
  CHECK(FormatList({}, "yaml") == "[]\n");
  CHECK(FormatList({&b}, "yaml") == "-\n  job_id: \"b\"\n  worker_id: \"\"\n  slots: 0\n");
  CHECK(IsStructured("json"));
  CHECK(IsStructured("yaml"));
  for (const char* format : {"table", "wide", "name"}) CHECK_FALSE(IsStructured(format));
}

TEST_CASE("text is cut between characters, never inside one") {
  const struct {
    std::string text;
    int width;
    std::string cut;
  } cases[] = {
      {"plain", 10, "plain"}, {"plain", 5, "plain"}, {"plain", 4, "plai"}, {"plain", 0, ""},
      {"plain", -1, ""},      {"", 3, ""},           {"a–b", 2, "a–"},     {"–––", 2, "––"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text, c.width);
    CHECK(CutToWidth(c.text, c.width) == c.cut);
  }
}

TEST_CASE("states have one name, and that name is understood in any case") {
  CHECK(StateName(pb::RUNNING) == "Running");
  CHECK(StateName(pb::READY) == "Ready");
  for (int state = pb::QUEUED; state <= pb::CANCELLED; ++state) {
    const auto job_state = static_cast<pb::JobState>(state);
    CAPTURE(StateName(job_state));
    CHECK(StateOfName(StateName(job_state)) == job_state);
  }
  CHECK(StateOfName("queued") == pb::QUEUED);
  CHECK(StateOfName("FAILED") == pb::FAILED);
  for (const char* wrong : {"", "done", "run", "Ready"}) {
    CAPTURE(wrong);
    CHECK(StateOfName(wrong) == pb::JOB_STATE_UNSPECIFIED);
  }
}

TEST_CASE("final are the states that a job never leaves") {
  for (const auto state : {pb::SUCCEEDED, pb::FAILED, pb::CANCELLED}) CHECK(IsFinal(state));
  for (const auto state : {pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, pb::STARTING, pb::RUNNING,
                           pb::RECOVERING, pb::STOPPING, pb::PAUSED}) {
    CHECK_FALSE(IsFinal(state));
  }
}

TEST_CASE("times are shown for people, and what never was is a dash") {
  const int64_t second = 1'000'000'000;
  CHECK(FormatTimeNs(0) == "-");
  CHECK(FormatTimeNs(1'700'000'000 * second).size() == std::string("2023-11-14 22:13:20").size());
  CHECK(FormatAge(0, 5 * second) == "-");
  CHECK(FormatAge(1 * second, 6 * second) == "5.0 s ago");
  CHECK(FormatAge(6 * second, 1 * second) == "0 s ago");  // clocks differ
}

}  // namespace
}  // namespace rm::trainctl
