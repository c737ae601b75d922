// Specs that came through the API, without a file.
#include <catch2/catch.hpp>
#include <functional>
#include <limits>

#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

std::vector<std::string> Messages(const std::vector<Diagnostic>& errors) {
  std::vector<std::string> messages;
  for (const Diagnostic& error : errors) messages.push_back(error.message);
  return messages;
}

TEST_CASE("a spec that the parser made is valid") {
  for (const std::string& yaml : {SmallJob(), FullJob()}) {
    CHECK(Messages(Validate(Parse(yaml).spec)).empty());
  }
}

TEST_CASE("an empty spec lacks what is required") {
  pb::JobSpec spec;
  ApplyDefaults(&spec);
  CHECK(Messages(Validate(spec)) ==
        std::vector<std::string>{
            "'apiVersion' is missing: Version of the format of this file; possible: ringmaster/v1",
            "'kind' is missing: What the job does; possible: train",
            "'name' is missing: Name for people: a-z, 0-9 and '-'; the coordinator adds a unique "
            "id",
            "'data.train.path' is missing: Where the training samples are",
            "'data.train.format' is missing: How they are stored; possible: idx, csv, npy, tokens",
            "'train.global_batch_size' is missing: Samples of one update, over all ranks together",
            "one of 'model.zoo' and 'model.onnx' must be given",
            "one of 'train.epochs' and 'train.steps' must be given",
            "'train.optimizer.params.lr' is missing: Learning rate"});
}

TEST_CASE("without defaults applied, what cannot be empty is told") {
  pb::JobSpec spec = Parse(SmallJob()).spec;
  spec.mutable_resources()->Clear();
  spec.mutable_checkpoint()->Clear();
  CHECK(Messages(Validate(spec)) ==
        std::vector<std::string>{
            "'resources.slots_per_rank' must be at least 1 and at most 4096, not 0",
            "'resources.accelerator' cannot be ''; possible: cpu",
            "'resources.placement' cannot be ''; possible: pack",
            "'checkpoint.every.steps' must be at least 1 and at most 10000000000, not 0",
            "'checkpoint.keep.last' must be at least 1 and at most 1000000, not 0",
            "'checkpoint.on_error' cannot be ''; possible: warn, fail",
            "'resources.ranks' must be at least 1 and at most 100000, not 0"});
  ApplyDefaults(&spec);
  CHECK(Validate(spec).empty());
}

TEST_CASE("defaults leave alone what is given, and what may be nothing") {
  pb::JobSpec spec = Parse(FullJob()).spec;
  const std::string before = spec.SerializeAsString();
  ApplyDefaults(&spec);
  CHECK(spec.SerializeAsString() == before);

  pb::JobSpec empty;
  ApplyDefaults(&empty);
  CHECK(empty.resources().ranks_max() == 1);
  CHECK(empty.train().optimizer().type() == "SGD");
  CHECK(empty.train().evaluate_every().epochs() == 1);
  CHECK(empty.scheduling().priority() == 0);  // proto3 cannot tell it from "not given"
  CHECK(empty.train().epochs() == 0);
}

TEST_CASE("each breach of a rule is told once, with the field") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    const char* field;
    std::function<void(pb::JobSpec&)> spoil;
    const char* message;
  } cases[] = {
      {"name", [](auto& s) { s.set_name("Has Spaces"); }, "'name' must be of a-z, 0-9 and '-'"},
      {"name", [](auto& s) { s.set_name("-dash"); }, "'name' must be of a-z, 0-9 and '-'"},
      {"name", [](auto& s) { s.set_name(std::string(57, 'a')); }, "at most 56 characters"},
      {"kind", [](auto& s) { s.set_kind("tune"); }, "'kind': 'tune' is not supported yet"},
      {"train.steps", [](auto& s) { s.mutable_train()->set_steps(5); },
       "give either 'train.epochs' or 'train.steps', not both"},
      {"train.epochs", [nan](auto& s) { s.mutable_train()->set_epochs(nan); },
       "'train.epochs' must be above 0"},
      {"train.seed", [](auto& s) { s.mutable_train()->set_seed(~uint64_t{0}); },
       "'train.seed' must be at least 0"},
      {"train.evaluate_every.steps",
       [](auto& s) { s.mutable_train()->mutable_evaluate_every()->set_steps(5); },
       "give either 'train.evaluate_every.epochs' or 'train.evaluate_every.steps', not both"},
      {"train.global_batch_size",
       [](auto& s) {
         s.mutable_resources()->set_ranks_min(200);
         s.mutable_resources()->set_ranks_max(200);
       },
       "'train.global_batch_size' is 128, but 'resources.ranks' is 200: each rank needs a sample"},
      {"resources.ranks", [](auto& s) { s.mutable_resources()->set_ranks_max(2); },
       "elastic jobs (min 1, max 2) are not supported yet"},
      {"resources.ranks", [](auto& s) { s.mutable_resources()->set_ranks_min(2); },
       "min (2) is above max (1)"},
      {"resources.ranks", [](auto& s) { s.mutable_resources()->set_ranks_min(-1); },
       "'resources.ranks' must be at least 1"},
      {"model.onnx", [](auto& s) { s.mutable_model()->set_onnx("m.onnx"); },
       "give either 'model.zoo' or 'model.onnx', not both"},
      {"model.zoo", [](auto& s) { s.mutable_model()->clear_zoo(); },
       "one of 'model.zoo' and 'model.onnx' must be given"},
      {"model.freeze", [](auto& s) { s.mutable_model()->add_freeze(""); },
       "'model.freeze': each text has at least one"},
      {"train.gradient_clipping", [](auto& s) { s.mutable_train()->set_gradient_clipping(-1); },
       "'train.gradient_clipping' must be above 0"},
      {"train.gradient_accumulation",
       [](auto& s) { s.mutable_train()->set_gradient_accumulation(-2); },
       "'train.gradient_accumulation' must be at least 1"},
      {"scheduling.preemptible", [](auto& s) { s.mutable_scheduling()->set_preemptible(false); },
       "'scheduling.preemptible' is not supported yet"},
      {"checkpoint.keep.best", [](auto& s) { s.mutable_checkpoint()->set_keep_best(1); },
       "'checkpoint.keep.best' is not supported yet"},
      {"data.validation.format",
       [](auto& s) { s.mutable_data()->mutable_validation()->set_path("v"); },
       "'data.validation.format' is missing"},
      {"train.optimizer.params.momentum",
       [](auto& s) { (*s.mutable_train()->mutable_optimizer()->mutable_params())["momentum"] = 1; },
       "'train.optimizer.params.momentum' must be at least 0 and below 1, not 1"},
      {"train.optimizer.params.nesterov",
       [](auto& s) {
         auto& params = *s.mutable_train()->mutable_optimizer()->mutable_params();
         params["nesterov"] = 1;
         params["momentum"] = 0;
       },
       "needs a momentum above 0"},
      {"train.optimizer.params.beta",
       [](auto& s) { (*s.mutable_train()->mutable_optimizer()->mutable_params())["beta"] = 1; },
       "unknown parameter 'beta' of SGD; possible: lr, momentum, weight_decay, nesterov"},
      {"train.scheduler.params.warmup",
       [](auto& s) { (*s.mutable_train()->mutable_scheduler()->mutable_params())["warmup"] = 1; },
       "unknown parameter 'warmup' of ConstantLR; it takes none"},
      {"model.params.classes",
       [nan](auto& s) { (*s.mutable_model()->mutable_params())["classes"] = nan; },
       "'model.params.classes' must be a finite number"},
      {"labels.a", [](auto& s) { (*s.mutable_labels())["a"] = std::string(257, 'x'); },
       "name and text have at most 256 bytes"},
      {"labels.", [](auto& s) { (*s.mutable_labels())[""] = "x"; }, "a name at least one"},
      {"labels",
       [](auto& s) {
         for (int i = 0; i < 65; ++i) (*s.mutable_labels())[std::to_string(i)] = "";
       },
       "'labels' has 65 entries; at most 64 are allowed"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.field, test.message);
    pb::JobSpec spec = Parse(SmallJob()).spec;
    test.spoil(spec);
    const auto errors = Validate(spec);
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].field_path == test.field);
    CHECK(errors[0].line == 0);
    CHECK_THAT(errors[0].message, Catch::Contains(test.message));
  }
}

TEST_CASE("errors point to where the client said the field was written, or the section around it") {
  ParseResult parsed = Parse(SmallJob());
  parsed.spec.mutable_train()->set_global_batch_size(-1);
  parsed.spec.mutable_train()->set_seed(~uint64_t{0});
  const auto errors = Validate(parsed.spec, parsed.positions);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].field_path == "train.global_batch_size");
  CHECK(errors[0].line == 12);
  CHECK(errors[0].column == 22);
  CHECK(errors[1].field_path == "train.seed");
  CHECK(errors[1].line == 10);  // where "train:" stands
}

}  // namespace
}  // namespace rm::jobspec
