#include "runtime/data/bad_records.h"

#include <catch2/catch.hpp>

#include "base/json.h"
#include "base/memory_file_system.h"

namespace rm::data {
namespace {

BadRecord BadAge(int64_t sample) {
  BadRecord record;
  record.sample = sample;
  record.file = "/d/train.csv";
  record.line = sample + 2;
  record.column = 5;
  record.field = "age";
  record.value = "abc";
  record.reason = "is not a float";
  return record;
}

BadRecord BadByte() {
  BadRecord record;
  record.sample = 10;
  record.file = "/d/labels";
  record.offset = 18;
  record.field = "label";
  record.value = "12";
  record.reason = "is out of range";
  return record;
}

BadRecords Records(int64_t count) {
  BadRecords records;
  for (int64_t i = 0; i < count; ++i) records.Add(BadAge(3 * i));
  return records;
}

TEST_CASE("a record in a text file is told by line and column, one in a binary file by its offset") {
  CHECK(BadAge(10).ToString() == "/d/train.csv:12:5: field 'age': 'abc' is not a float");
  CHECK(BadByte().ToString() ==
        "/d/labels at offset 18, sample 10: field 'label': '12' is out of range");
  BadRecord ragged = BadAge(1);
  ragged.field = "";
  ragged.reason = "the record has 2 fields, the header has 3 columns";
  CHECK(ragged.ToString() ==
        "/d/train.csv:3:5: the record has 2 fields, the header has 3 columns");
}

TEST_CASE("values are shown short, as UTF-8, on one line") {
  CHECK(ShownValue("müde") == "müde");
  CHECK(ShownValue("a\nb\tc\x01") == "a?b?c?");
  CHECK(ShownValue("\xff\xfe") == "??");
  CHECK(ShownValue(std::string(64, 'x')) == std::string(64, 'x'));
  CHECK(ShownValue(std::string(65, 'x')) == std::string(64, 'x') + "…");
  // A character that the cut would halve.
  CHECK(ShownValue(std::string(63, 'x') + "ü") == std::string(63, 'x') + "?…");
}

TEST_CASE("the rule is read from the job file's word") {
  CHECK(*ParseBadRecordRule("") == BadRecordRule::kFail);
  CHECK(*ParseBadRecordRule("fail") == BadRecordRule::kFail);
  CHECK(*ParseBadRecordRule("skip") == BadRecordRule::kSkip);
  CHECK(*ParseBadRecordRule("quarantine") == BadRecordRule::kQuarantine);
  CHECK(ParseBadRecordRule("skipp").status() ==
        absl::InvalidArgumentError("data.on_bad_record cannot be 'skipp' – did you mean 'skip'?; "
                                   "possible: fail, skip, quarantine"));
}

TEST_CASE("bad samples are known by their number") {
  BadRecords records;
  CHECK_FALSE(records.Has(0));
  records.Add(BadAge(2));
  records.Add(BadAge(2));  // one sample is bad once
  records.AddUndescribed(7);
  CHECK(records.count() == 2);
  CHECK(records.kept().size() == 1);
  for (int64_t sample = 0; sample < 20; ++sample) {
    CHECK(records.Has(sample) == (sample == 2 || sample == 7));
  }
}

TEST_CASE("descriptions are kept up to a bound, the count goes on") {
  BadRecords records;
  const int64_t most = static_cast<int64_t>(BadRecords::kKeptMax);
  for (int64_t i = 0; i < most + 5; ++i) records.Add(BadAge(i));
  CHECK(records.count() == most + 5);
  CHECK(records.kept().size() == BadRecords::kKeptMax);
  CHECK_FALSE(records.WantsDescription());
  CHECK(records.Has(most + 4));

  base::MemoryFileSystem files;
  REQUIRE(WriteQuarantine(files, "/q/train.jsonl", records).ok());
  const std::string text = *files.ReadFile("/q/train.jsonl");
  CHECK(text.substr(text.size() - 11) == "{\"more\":5}\n");
}

TEST_CASE("what ends a job lists the first ten and says how many there are and what to do") {
  CHECK(Complaints(Records(0), 100, BadRecordRule::kFail).empty());
  const auto two = Complaints(Records(2), 100, BadRecordRule::kFail);
  CHECK(two == std::vector<std::string>{
                   "/d/train.csv:2:5: field 'age': 'abc' is not a float",
                   "/d/train.csv:5:5: field 'age': 'abc' is not a float",
                   "2 of 100 records are bad; mend them, or set data.on_bad_record to skip or "
                   "quarantine"});
  const auto many = Complaints(Records(12), 100, BadRecordRule::kFail);
  REQUIRE(many.size() == 11);
  CHECK(many[9] == "/d/train.csv:29:5: field 'age': 'abc' is not a float");
  CHECK(many[10] == "12 of 100 records are bad (the first 10 are listed); mend them, or set "
                    "data.on_bad_record to skip or quarantine");
}

TEST_CASE("bad records that are passed over end a job only when no other is left") {
  for (const BadRecordRule rule : {BadRecordRule::kSkip, BadRecordRule::kQuarantine}) {
    CHECK(Complaints(Records(2), 3, rule).empty());
    const auto none_left = Complaints(Records(2), 2, rule);
    REQUIRE(none_left.size() == 3);
    CHECK(none_left[2] == "2 of 2 records are bad: none is left to train or validate with");
  }
}

TEST_CASE("the summary has the count and the first place") {
  CHECK(Summary(Records(3), 150) ==
        "3 of 150 records are bad and have no weight; the first: /d/train.csv:2:5: field 'age': "
        "'abc' is not a float");
}

TEST_CASE("the quarantine file has a JSON object a record, replaced as a whole") {
  base::MemoryFileSystem files;
  REQUIRE(WriteQuarantine(files, "/job/quarantine/train.jsonl", Records(5)).ok());
  BadRecords records;
  records.Add(BadAge(4));
  records.Add(BadByte());
  REQUIRE(WriteQuarantine(files, "/job/quarantine/train.jsonl", records).ok());
  CHECK(*files.ReadFile("/job/quarantine/train.jsonl") ==
        "{\"file\":\"/d/train.csv\",\"line\":6,\"column\":5,\"sample\":4,\"field\":\"age\","
        "\"value\":\"abc\",\"reason\":\"is not a float\"}\n"
        "{\"file\":\"/d/labels\",\"offset\":18,\"sample\":10,\"field\":\"label\",\"value\":\"12\","
        "\"reason\":\"is out of range\"}\n");
  CHECK(*files.List("/job/quarantine") == std::vector<std::string>{"train.jsonl"});
}

TEST_CASE("a full disk is told, and leaves the file as it was") {
  base::MemoryFileSystem files;
  REQUIRE(WriteQuarantine(files, "/q/train.jsonl", Records(1)).ok());
  const std::string before = *files.ReadFile("/q/train.jsonl");
  files.FailFrom(files.operations() + 1, base::MemoryFileSystem::Fault::kDiskFull);
  CHECK(absl::IsResourceExhausted(WriteQuarantine(files, "/q/train.jsonl", Records(9))));
  CHECK(*files.ReadFile("/q/train.jsonl") == before);
}

}  // namespace
}  // namespace rm::data
