// Runs the target that it is linked with: its seeds, then mutations of them. Case n is a function of
// n alone, so that one that fails can be run again by itself: FUZZ_CASE=n. FUZZ_SEED=n makes other
// cases than those of every run.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/live_bytes.h"
#include "tests/fuzz/mutate.h"

// Of the sanitizers' runtime, where there is one: they end the process in their own way.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace rm::fuzz {
namespace {

constexpr int64_t kSeed = 20261122;

// What an environment variable says, or `fallback`.
int64_t Wish(const char* name, int64_t fallback) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  int64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : fallback;
}

// The case that runs, for whoever has to tell which one it was.
int64_t present_case = -1;
const std::string* present_input = nullptr;

void WriteText(const char* text, size_t size) {
  if (::write(STDERR_FILENO, text, size) < 0) return;
}

// Only what a signal handler may do.
void TellCase() {
  if (present_input == nullptr) return;
  constexpr char kDigits[] = "0123456789abcdef";
  char number[24];
  size_t at = sizeof(number);
  int64_t rest = present_case;
  do {
    number[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  constexpr char kBegin[] = "\nthis was fuzz case ";
  WriteText(kBegin, sizeof(kBegin) - 1);
  WriteText(number + at, sizeof(number) - at);
  constexpr char kMiddle[] = " (FUZZ_CASE runs it alone); its input in hex:\n";
  WriteText(kMiddle, sizeof(kMiddle) - 1);
  for (const char c : *present_input) {
    const auto byte = static_cast<unsigned char>(c);
    const char pair[] = {kDigits[byte >> 4], kDigits[byte & 15]};
    WriteText(pair, 2);
  }
  WriteText("\n", 1);
}

void OnDeath(int signal) {
  TellCase();
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void TellCaseAtDeath() {
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) ::signal(signal, &OnDeath);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(&TellCase);
}

Corpus CorpusOfTarget() {
  Corpus corpus;
  corpus.seeds = Seeds();
  corpus.words = Words();
  corpus.bytes_max = Options().input_bytes_max;
  return corpus;
}

// One case, its memory held against the bound.
void Run(int64_t number, const std::string& input) {
  present_case = number;
  present_input = &input;
  StartCounting();
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  const int64_t peak = PeakBytes();
  present_input = nullptr;
  const TargetOptions options = Options();
  const auto bound =
      static_cast<int64_t>(options.live_bytes_max + options.live_bytes_a_byte * input.size());
  if (peak <= bound) return;
  CAPTURE(number, input.size());
  REQUIRE(peak <= bound);
}

TEST_CASE("every seed is accepted, and so is nothing at all survived") {
  TellCaseAtDeath();
  Run(0, "");
  for (const std::string& seed : Seeds()) {
    CAPTURE(seed);
    const int64_t before = AcceptedCount();
    Run(0, seed);
    if (Options().accepts_some) CHECK(AcceptedCount() == before + 1);
  }
}

TEST_CASE("no prefix of a seed does harm") {
  TellCaseAtDeath();
  for (const std::string& seed : Seeds()) {
    const size_t step = 1 + seed.size() / 200;
    for (size_t size = 0; size < seed.size(); size += step) Run(0, seed.substr(0, size));
  }
}

TEST_CASE("no mutation of a seed does harm, and some are refused") {
  TellCaseAtDeath();
  const Corpus corpus = CorpusOfTarget();
  const TargetOptions options = Options();
  const auto seed = static_cast<uint64_t>(Wish("FUZZ_SEED", kSeed));
  const int64_t only = Wish("FUZZ_CASE", -1);
  const bool alone = only >= 0;
  const int64_t before = AcceptedCount();
  for (int64_t number = alone ? only : 0; number < (alone ? only + 1 : options.cases); ++number) {
    base::RandomStream random(seed, static_cast<uint64_t>(number));
    Run(number, Mutated(corpus, random));
  }
  const int64_t accepted = AcceptedCount() - before;
  WARN(absl::StrCat(alone ? 1 : options.cases, " cases, ", accepted, " accepted"));
  if (alone || !options.accepts_some) return;
  CHECK(accepted > 0);
  CHECK(accepted < options.cases);
}

}  // namespace
}  // namespace rm::fuzz
