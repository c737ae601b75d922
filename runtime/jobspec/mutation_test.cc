// Whatever is done to a job file, reading it ends, soon, with a spec or with errors that can be
// shown.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

// Pieces that mean something to YAML, or to the key table.
constexpr const char* kPieces[] = {
    ":",    ": ",   "- ",   "\n",     "\n  ",   "\t",     "{",      "}",         "[",     "]",
    ",",    "&a ",  "*a",   "<<: *a", "!!str ", "? ",     "| ",     ">",         "'",     "\"",
    "#",    "%",    "@",    "---\n",  "...\n",  "~",      "null",   ".nan",      "-1",    "1e999",
    "0x1",  "\xff", "\xc3", "\x01",   "\r",     "ö",      "train",  "epochs: 1", "steps", "ranks",
    "type", "lr",   "true", "path",   "\n\n",   "      ", "labels", "every",     "keep",  "s",
};

std::string Mutated(const std::string& text, base::RandomStream& random) {
  std::string mutated = text;
  for (uint64_t edits = 1 + random.NextBelow(6); edits > 0; --edits) {
    const size_t at = static_cast<size_t>(random.NextBelow(mutated.size() + 1));
    const size_t length = static_cast<size_t>(random.NextBelow(12));
    switch (random.NextBelow(4)) {
      case 0:
        mutated.erase(at, length);
        break;
      case 1:
        mutated.insert(at, kPieces[random.NextBelow(std::size(kPieces))]);
        break;
      case 2:  // a piece of the file itself, somewhere else
        mutated.insert(at, text.substr(static_cast<size_t>(random.NextBelow(text.size())), length));
        break;
      default:
        if (at < mutated.size()) mutated[at] = static_cast<char>(random.NextBits());
    }
  }
  return mutated;
}

void CheckOutcome(const std::string& yaml) {
  const ParseResult result = Parse(yaml);
  REQUIRE(result.errors.size() <= static_cast<size_t>(kErrorsMax));
  for (const Diagnostic& error : result.errors) {
    REQUIRE_FALSE(error.message.empty());
    REQUIRE_FALSE(Render(error, "job.yaml", yaml).empty());
    REQUIRE(error.line >= 0);
    REQUIRE((error.line == 0) == (error.column == 0));
  }
  if (!result.ok()) return;
  // What is accepted is valid, and survives being written and read.
  REQUIRE(Validate(result.spec).empty());
  const ParseResult again = Parse(ToYaml(result.spec));
  REQUIRE(again.ok());
}

TEST_CASE("no mutation of a job file crashes, hangs, or is accepted without being valid") {
  base::RandomStream random(20, 24);
  for (const std::string& text : {SmallJob(), FullJob()}) {
    for (int i = 0; i < 2000; ++i) {
      const std::string mutated = Mutated(text, random);
      INFO(mutated);
      CheckOutcome(mutated);
    }
  }
}

TEST_CASE("no bytes at all do harm") {
  base::RandomStream random(3, 5);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(static_cast<size_t>(random.NextBelow(200)), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.NextBelow(128));
    CheckOutcome(bytes);
  }
}

TEST_CASE("a long file of anything is read in bounded time") {
  constexpr size_t kBytes = 300'000;
  for (const char* const piece :
       {"a", "a: ", "- ", "[", "{", "? ", "a: b\n", "&a ", "'", "\"", "# ", "\n", " ", "a,", "[a,",
        "{a: ", "| ", "<<: ", "!", "%", ": ", "a:\n ", "*a ", "- a: b\n", "ö"}) {
    CAPTURE(piece);
    std::string text;
    while (text.size() < kBytes) text += piece;
    CheckOutcome(text);
    CheckOutcome(absl::StrCat("labels: {", text, "}"));
  }
}

TEST_CASE("no override does harm") {
  base::RandomStream random(8, 13);
  for (int i = 0; i < 2000; ++i) {
    const std::string override = Mutated("train.optimizer.params.lr=0.1", random);
    const ParseResult result = Parse(SmallJob(), {override});
    for (const Diagnostic& error : result.errors) REQUIRE_FALSE(error.message.empty());
  }
}

}  // namespace
}  // namespace rm::jobspec
