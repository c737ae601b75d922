#include "runtime/worker/worker_options.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::worker {
namespace {

using Labels = std::map<std::string, std::string>;

// What is read from "ringmaster-worker words… --dir <folder>".
absl::StatusOr<WorkerOptions> Parse(std::vector<std::string> words, const std::string& folder,
                                    std::string* help = nullptr) {
  words.insert(words.begin(), "ringmaster-worker");
  words.push_back("--dir=" + folder);
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::string text;
  return ParseWorkerOptions(static_cast<int>(argv.size()), argv.data(),
                            help == nullptr ? &text : help);
}

TEST_CASE("what the command line leaves out is filled in") {
  base::TemporaryFolder folder;
  const auto options = Parse({"--coordinator", "127.0.0.1:7070"}, folder.path());
  REQUIRE(options.ok());
  CHECK(options->coordinator == "127.0.0.1:7070");
  CHECK(options->folder == folder.path());
  CHECK(options->advertise == "127.0.0.1");
  CHECK(options->slots >= 1);
  CHECK(options->threads_per_slot == 1);
  CHECK_FALSE(options->host.empty());
  CHECK(options->id.rfind(options->host + "-", 0) == 0);
  CHECK(options->labels.empty());
  CHECK_FALSE(options->help);
}

TEST_CASE("every flag arrives") {
  base::TemporaryFolder folder;
  const auto options =
      Parse({"--coordinator=host:1", "--id=w1", "--slots=3", "--advertise=10.0.0.7", "--insecure",
             "--threads-per-slot=2", "--labels=zone=a,rack=3", "--log-format=json"},
            folder.path());
  REQUIRE(options.ok());
  CHECK(options->id == "w1");
  CHECK(options->slots == 3);
  CHECK(options->advertise == "10.0.0.7");
  CHECK(options->threads_per_slot == 2);
  CHECK(options->labels == Labels{{"zone", "a"}, {"rack", "3"}});
  CHECK(options->log_format == "json");
}

TEST_CASE("a wrong command line is refused in one line that says what to do") {
  const std::string good = "--coordinator=127.0.0.1:7070";
  const struct {
    std::vector<std::string> words;
    std::string said;
  } cases[] = {
      {{}, "--coordinator HOST:PORT is missing"},
      {{"--coordinator=nowhere"}, "--coordinator: 'nowhere' is no address"},
      {{"--coordinator=127.0.0.1:0"}, "nobody listens at port 0"},
      {{good, "--slots=0"}, "must be a whole number from 1 to 4096"},
      {{good, "--advertise=10.0.0.7"}, "say --insecure if the network is trusted"},
      {{good, "--advertise=0.0.0.0", "--insecure"}, "others cannot dial it"},
      {{good, "--labels=zone"}, "'zone' is not key=value"},
      {{good, "--labels=zone=\xff"}, "not UTF-8"},
      {{good, "--id=a b"}, "letters, digits"},
      {{good, "--id=../w"}, "letters, digits"},
      {{good, "--slot=1"}, "did you mean '--slots'"},
      {{good, "extra"}, "unexpected argument 'extra'"},
      {{good, "--log-format=xml"}, "must be one of text, json"},
  };
  for (const auto& c : cases) {
    base::TemporaryFolder folder;
    const auto options = Parse(c.words, folder.path());
    CAPTURE(c.said, options.status().ToString());
    CHECK(absl::IsInvalidArgument(options.status()));
    CHECK(std::string(options.status().message()).find(c.said) != std::string::npos);
    CHECK(options.status().message().find('\n') == absl::string_view::npos);
  }
}

TEST_CASE("help names every flag and asks for nothing") {
  base::TemporaryFolder folder;
  std::string help;
  const auto options = Parse({"--help"}, folder.path(), &help);
  REQUIRE(options.ok());
  CHECK(options->help);
  for (const char* flag : {"--coordinator", "--id", "--slots", "--dir", "--advertise",
                           "--threads-per-slot", "--labels", "--insecure", "--log-format"}) {
    CAPTURE(flag);
    CHECK(help.find(flag) != std::string::npos);
  }
}

TEST_CASE("labels are key=value, separated by commas") {
  const struct {
    std::string text;
    Labels labels;
  } good[] = {
      {"", {}},
      {"a=1", {{"a", "1"}}},
      {"a=1,b=x=y", {{"a", "1"}, {"b", "x=y"}}},
      {"a=", {{"a", ""}}},
      {"a=1,,a=2,", {{"a", "2"}}},
  };
  for (const auto& c : good) {
    CAPTURE(c.text);
    const auto labels = ParseLabels(c.text);
    REQUIRE(labels.ok());
    CHECK(*labels == c.labels);
  }
  for (const std::string bad : {"a", "a=1,b", "=1"}) {
    CAPTURE(bad);
    CHECK(absl::IsInvalidArgument(ParseLabels(bad).status()));
  }
}

TEST_CASE("a worker keeps its name over restarts with the same folder") {
  base::TemporaryFolder folder;
  const std::string inside = folder.File("made/by/the/first/start");
  const auto first = StableWorkerId(inside, "host", "");
  REQUIRE(first.ok());
  CHECK(first->rfind("host-", 0) == 0);
  CHECK(*StableWorkerId(inside, "another", "") == *first);
  SECTION("until it is given another one, which is kept too") {
    CHECK(*StableWorkerId(inside, "host", "w-2.b_c") == "w-2.b_c");
    CHECK(*StableWorkerId(inside, "host", "") == "w-2.b_c");
  }
  SECTION("other folders give other names") {
    CHECK(*StableWorkerId(folder.File("other"), "host", "") != *first);
  }
}

TEST_CASE("a name that was edited is read without its white space, a damaged one is replaced") {
  base::TemporaryFolder folder;
  const std::string path = folder.File("worker_id");
  const struct {
    std::string content;
    bool kept;
  } cases[] = {{"mine\n", true}, {"  mine  ", true}, {"", false}, {"a\nb", false}, {"\xff", false}};
  for (const auto& c : cases) {
    CAPTURE(c.content);
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), path, c.content).ok());
    const auto id = StableWorkerId(folder.path(), "host", "");
    REQUIRE(id.ok());
    CHECK((*id == "mine") == c.kept);
    CHECK(*StableWorkerId(folder.path(), "host", "") == *id);
  }
}

TEST_CASE("a folder that cannot be made is no usage error, and says which one") {
  base::TemporaryFolder folder;
  const std::string file = folder.File("file");
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), file, "").ok());
  const auto options = Parse({"--coordinator=127.0.0.1:7070"}, file + "/below");
  CHECK(absl::IsFailedPrecondition(options.status()));
  CHECK(std::string(options.status().message()).find("--dir: ") == 0);
  CHECK(std::string(options.status().message()).find(file) != std::string::npos);
}

}  // namespace
}  // namespace rm::worker
