// Every word that is said about job files that are wrong: the table behind this is the review.
#include <catch2/catch.hpp>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"
#include "runtime/jobspec/testing_bad_files.h"

namespace rm::jobspec {
namespace {

std::vector<std::string> ErrorsOf(absl::string_view yaml,
                                  const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> lines;
  for (const Diagnostic& error : Parse(yaml, overrides).errors) {
    lines.push_back(absl::StrCat(error.line, ":", error.column, ": ", error.message));
  }
  return lines;
}

TEST_CASE("every bad file is told all its errors, each at its place") {
  const std::vector<BadFile> files = BadFiles();
  CHECK(files.size() >= 150);
  for (const BadFile& file : files) {
    const std::string yaml = Edited(SmallJob(), file.edits);
    INFO(yaml);
    CHECK(absl::StrJoin(ErrorsOf(yaml), "\n") == absl::StrJoin(file.errors, "\n"));
  }
}

// Of this thread: what else the machine does at the time is not counted.
double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

TEST_CASE("a file made to do harm is refused in less than a second") {
  for (const HostileFile& file : HostileFiles()) {
    CAPTURE(file.what);
    const double begin = CpuSeconds();
    const std::vector<std::string> errors = ErrorsOf(file.text);
    const double seconds = CpuSeconds() - begin;
    REQUIRE_FALSE(errors.empty());
    CHECK(errors.front() == file.error);
    CHECK(errors.size() <= static_cast<size_t>(kErrorsMax));
    CHECK(seconds < 1);
  }
}

TEST_CASE("errors of --set name it, and stand after those of the file") {
  const struct {
    std::vector<std::string> overrides;
    std::vector<std::string> errors;
  } cases[] = {
      {{"train.epoch=3"},
       {"0:0: --set train.epoch=3: unknown key 'epoch' – did you mean 'epochs'?"}},
      {{"train.steps=many"},
       {"0:0: --set train.steps=many: 'train.steps' must be a whole number, not 'many'"}},
      {{"resources.ranks=0", "name=M"},
       {"0:0: --set resources.ranks=0: 'resources.ranks' must be at least 1 and at most 100000, "
        "not 0",
        "0:0: --set name=M: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or "
        "digit, and have at most 56 characters"}},
      {{"train.epochs="},
       {"0:0: --set train.epochs=: one of 'train.epochs' and 'train.steps' must be given"}},
      {{"train=3"},
       {"0:0: --set train=3: 'train' must be a section with keys (epochs, steps, "
        "global_batch_size, gradient_accumulation, determinism, virtual_shards, precision, seed, "
        "gradient_clipping, optimizer, scheduler, evaluate_every, on_nonfinite)"}},
      {{"resources.ranks=200"},
       {"12:22: 'train.global_batch_size' is 128, but 'resources.ranks' is 200: each rank needs a "
        "sample"}},
      {{"nonsense"}, {"0:0: --set nonsense: write it as field.path=value"}},
  };
  for (const auto& test : cases) CHECK(ErrorsOf(SmallJob(), test.overrides) == test.errors);
}

TEST_CASE("a hopeless file is told so in fifty lines") {
  std::string yaml;
  for (int i = 0; i < 500; ++i) absl::StrAppend(&yaml, "key", i, ": 1\n");
  const auto errors = ErrorsOf(yaml);
  REQUIRE(errors.size() == static_cast<size_t>(kErrorsMax));
  CHECK(errors.back() == "0:0: … and 460 more errors");
}

}  // namespace
}  // namespace rm::jobspec
