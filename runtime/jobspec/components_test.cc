// Parameters of optimizers and schedules, from the file to the message.
#include "runtime/jobspec/components.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

// A job whose optimizer takes these parameters, written as YAML.
ParseResult WithParams(const std::string& params) {
  return Parse(Edited(SmallJob(), {{"    params:\n      lr: 0.05\n      momentum: 0.9\n",
                                    absl::StrCat("    params: {", params, "}\n")}}));
}

TEST_CASE("parameters in their range are taken, their ends included where they belong to it") {
  for (const char* const params :
       {"lr: 0.1", "lr: 1e-9", "lr: 1000000", "lr: 0.1, momentum: 0", "lr: 0.1, momentum: 0.9999",
        "lr: 0.1, weight_decay: 0", "lr: 0.1, momentum: 0.5, nesterov: true",
        "lr: 0.1, nesterov: false"}) {
    CAPTURE(params);
    CHECK(WithParams(params).ok());
  }
}

TEST_CASE("parameters out of their range are told with its bounds") {
  const struct {
    const char *params, *message;
  } cases[] = {
      {"lr: 0", "'train.optimizer.params.lr' must be above 0 and at most 1000000, not 0"},
      {"lr: -0.1", "'train.optimizer.params.lr' must be above 0 and at most 1000000, not -0.1"},
      {"lr: 0.1, momentum: 1",
       "'train.optimizer.params.momentum' must be at least 0 and below 1, not 1"},
      {"lr: 0.1, weight_decay: -1",
       "'train.optimizer.params.weight_decay' must be at least 0 and at most 1000000, not -1"},
      {"lr: 0.1, nesterov: 0.5",
       "'train.optimizer.params.nesterov' must be true or false, not '0.5'"},
      {"lr: fast", "'train.optimizer.params.lr' must be a number, not 'fast'"},
      {"momentum: 0.9", "'train.optimizer.params.lr' is missing: Learning rate"},
      {"lr: 0.1, betas: 0.9",
       "unknown parameter 'betas' of SGD; possible: lr, momentum, weight_decay, nesterov"},
      {"lr: 0.1, weight_decy: 0",
       "unknown parameter 'weight_decy' of SGD – did you mean 'weight_decay'?; possible: lr, "
       "momentum, weight_decay, nesterov"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.params);
    const ParseResult result = WithParams(test.params);
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].message == test.message);
    CHECK(result.errors[0].line == 15);
  }
}

TEST_CASE("each optimizer and each schedule has parameters of its own") {
  const struct {
    const char *optimizer, *scheduler, *message;  // an empty message: a job that may run
  } cases[] = {
      {"{type: Adam, params: {lr: 1e-3, beta1: 0.9, beta2: 0.99, eps: 1e-6}}", "{}", ""},
      {"{type: AdamW, params: {lr: 1e-3, weight_decay: 0.1}, no_decay: ['*.bias']}", "{}", ""},
      {"{type: AdamW, params: {lr: 1e-3, momentum: 0.9}}", "{}",
       "unknown parameter 'momentum' of AdamW; possible: lr, beta1, beta2, eps, weight_decay"},
      {"{type: Adam, params: {lr: 1e-3, beta1: 1}}", "{}",
       "'train.optimizer.params.beta1' must be at least 0 and below 1, not 1"},
      {"{type: Adam, params: {beta1: 0.5}}", "{}",
       "'train.optimizer.params.lr' is missing: Learning rate"},
      {"{params: {lr: 1}}", "{type: StepLR, params: {step_size: 30, gamma: 0.5}}", ""},
      {"{params: {lr: 1}}", "{type: StepLR}",
       "'train.scheduler.params.step_size' is missing: Steps between two cuts"},
      {"{params: {lr: 1}}", "{type: StepLR, params: {step_size: 30, gamma: 2}}",
       "'train.scheduler.params.gamma' must be above 0 and at most 1, not 2"},
      {"{params: {lr: 1}}", "{type: WarmupCosineLR, params: {warmup_steps: 100, min_lr: 0.1}}", ""},
      {"{params: {lr: 1}}", "{type: WarmupCosineLR, params: {gamma: 0.1}}",
       "unknown parameter 'gamma' of WarmupCosineLR; possible: warmup_steps, min_lr, total_steps"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.optimizer, test.scheduler);
    const ParseResult result =
        Parse(SmallJob(), {absl::StrCat("train.optimizer=", test.optimizer),
                           absl::StrCat("train.scheduler=", test.scheduler)});
    if (*test.message == 0) {
      CHECK(result.ok());
    } else {
      REQUIRE(result.errors.size() == 1);
      CHECK(absl::StrContains(result.errors[0].message, test.message));
    }
  }
}

TEST_CASE("no two parameters of a component share a name, and each is described") {
  for (const Component& component : Components()) {
    std::vector<absl::string_view> names;
    for (const Param& param : component.params) {
      CHECK(std::find(names.begin(), names.end(), param.name) == names.end());
      CHECK_FALSE(param.doc.empty());
      names.push_back(param.name);
    }
  }
}

TEST_CASE("components are found by section and type together") {
  CHECK(FindComponent("train.optimizer", "SGD") != nullptr);
  CHECK(FindComponent("train.scheduler", "ConstantLR") != nullptr);
  CHECK(FindComponent("train.scheduler", "SGD") == nullptr);
  CHECK(FindComponent("train.optimizer", "") == nullptr);
}

}  // namespace
}  // namespace rm::jobspec
