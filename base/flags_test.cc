#include "base/flags.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"

namespace rm::base {
namespace {

// A program with one flag of each kind.
struct Program {
  std::string listen = "127.0.0.1:7070";
  std::string policy = "priority";
  int64_t slots = 1;
  double share = 0.5;
  std::vector<std::string> set;
  bool insecure = false;
  FlagSet flags{"daemon", "Does things."};

  Program() {
    flags.Text("listen", "HOST:PORT", "address to serve", &listen);
    flags.Choice("policy", {"fifo", "priority"}, "who is next", &policy);
    flags.Integer("slots", "N", "ranks at a time", 1, 64, &slots);
    flags.Number("share", "S", "part of the whole", 0, 1, &share);
    flags.Texts("set", "KEY=VALUE", "may be repeated", &set);
    flags.Switch("insecure", "no TLS", &insecure);
    flags.Letter('i', "insecure");
    flags.Letter('s', "set");
    flags.SetUsage("FILE [flags]");
  }

  absl::Status Parse(std::vector<const char*> words) {
    words.insert(words.begin(), "daemon");
    return flags.Parse(static_cast<int>(words.size()), words.data());
  }
};

TEST_CASE("without flags every variable keeps its default") {
  Program program;
  REQUIRE(program.Parse({}).ok());
  CHECK(program.listen == "127.0.0.1:7070");
  CHECK(program.slots == 1);
  CHECK_FALSE(program.insecure);
}

TEST_CASE("a value may follow its flag or an equals sign") {
  Program program;
  REQUIRE(program.Parse({"--listen", "a:1", "--slots=4", "--policy", "fifo", "--insecure"}).ok());
  CHECK(program.listen == "a:1");
  CHECK(program.slots == 4);
  CHECK(program.policy == "fifo");
  CHECK(program.insecure);
}

TEST_CASE("the last of several values wins, and a switch can be switched off") {
  Program program;
  REQUIRE(program.Parse({"--slots", "2", "--insecure", "--slots", "3", "--insecure=false"}).ok());
  CHECK(program.slots == 3);
  CHECK_FALSE(program.insecure);
}

TEST_CASE("letters stand for names, lists grow, numbers have bounds") {
  Program program;
  REQUIRE(program.Parse({"-i", "-s", "a=1", "--set", "b=2=3", "--set=c", "--share", "0.25"}).ok());
  CHECK(program.insecure);
  CHECK(program.set == std::vector<std::string>{"a=1", "b=2=3", "c"});
  CHECK(program.share == Approx(0.25));
  CHECK(program.Parse({"--share", "1.5"}).message() ==
        "flag '--share' is '1.5' but must be a number from 0 to 1 (try daemon --help)");
  CHECK_FALSE(program.Parse({"--share", "nan"}).ok());
  CHECK(program.flags.Help().find("usage: daemon FILE [flags]") != std::string::npos);
  CHECK(program.flags.Help().find("-s, --set KEY=VALUE") != std::string::npos);
}

TEST_CASE("an empty value and one that looks like a flag are values") {
  Program program;
  REQUIRE(program.Parse({"--listen="}).ok());
  CHECK(program.listen.empty());
  REQUIRE(program.Parse({"--listen", "--slots"}).ok());
  CHECK(program.listen == "--slots");
}

TEST_CASE("a mistake is one line that says what is allowed") {
  struct Case {
    std::vector<const char*> words;
    const char* message;
  };
  const Case cases[] = {
      {{"--lisen", "x"}, "unknown flag '--lisen' – did you mean '--listen'? (try daemon --help)"},
      {{"--colour"}, "unknown flag '--colour' (try daemon --help)"},
      {{"-x"}, "unknown flag '-x' (try daemon --help)"},
      {{"--listen"}, "flag '--listen' needs a value: HOST:PORT (try daemon --help)"},
      {{"--slots", "0"},
       "flag '--slots' is '0' but must be a whole number from 1 to 64 (try daemon --help)"},
      {{"--slots", "many"},
       "flag '--slots' is 'many' but must be a whole number from 1 to 64 (try daemon --help)"},
      {{"--policy=best"},
       "flag '--policy' is 'best' but must be one of fifo, priority (try daemon --help)"},
      {{"--insecure=perhaps"},
       "flag '--insecure' is 'perhaps' but takes no value, or true or false (try daemon --help)"},
  };
  for (const Case& c : cases) {
    Program program;
    const absl::Status parsed = program.Parse(c.words);
    CHECK(parsed.code() == absl::StatusCode::kInvalidArgument);
    CHECK(parsed.message() == c.message);
  }
}

TEST_CASE("words that are no flags are positionals, and so is all after two dashes") {
  Program program;
  REQUIRE(program.Parse({"one", "--slots", "2", "-", "--", "--slots", "3"}).ok());
  CHECK(program.flags.positionals() == std::vector<std::string>{"one", "-", "--slots", "3"});
  CHECK(program.slots == 2);
  CHECK(program.flags.NoPositionals().message() == "unexpected argument 'one' (try daemon --help)");
}

TEST_CASE("help ends parsing and names every flag with its default") {
  for (const char* word : {"--help", "-h"}) {
    Program program;
    REQUIRE(program.Parse({word, "--unknown"}).ok());
    CHECK(program.flags.help_asked());
  }
  const std::string help = Program().flags.Help();
  CHECK(help ==
        "Does things.\n"
        "\n"
        "usage: daemon FILE [flags]\n"
        "\n"
        "flags:\n"
        "      --listen HOST:PORT      address to serve (default 127.0.0.1:7070)\n"
        "      --policy fifo|priority  who is next (default priority)\n"
        "      --slots N               ranks at a time (default 1)\n"
        "      --share S               part of the whole (default 0.5)\n"
        "  -s, --set KEY=VALUE         may be repeated\n"
        "  -i, --insecure              no TLS\n");
}

}  // namespace
}  // namespace rm::base
