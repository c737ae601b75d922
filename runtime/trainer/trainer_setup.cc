// How a trainer is set up: data, replica, evaluation, and the checkpoint it goes on from.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/model/model.h"
#include "runtime/model/weights.h"
#include "runtime/trainer/fingerprint.h"
#include "runtime/trainer/gather.h"
#include "runtime/trainer/optimizer.h"
#include "runtime/trainer/trainer.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// The generations that count, as the coordinator knows them: checkpoints of others are ignored.
checkpoint::Lineage LineageOf(const pb::RankStart& start) {
  checkpoint::Lineage lineage;
  for (const pb::LineageEntry& entry : start.lineage()) {
    lineage.push_back({entry.generation(), entry.first_step()});
  }
  return lineage;
}

// Workers have been asked by then whether they can (runtime/preflight); a later generation may have come
// to another one.
absl::StatusOr<graph::Precision> PrecisionOf(const pb::TrainSpec& train) {
  if (train.precision().empty()) return graph::Precision::kFloat32;
  RM_ASSIGN_OR_RETURN(const graph::Precision precision, graph::FindPrecision(train.precision()));
  if (precision == graph::Precision::kBfloat16) {
    RM_RETURN_IF_ERROR(base::Annotate(kernels::CheckBfloat16(), "train.precision"));
  }
  return precision;
}

// In exact mode the same for the whole gang: threads are part of what makes equal runs equal bits.
kernels::KernelOptions KernelOptionsOf(const pb::Plan& plan) {
  kernels::KernelOptions options;
  options.threads = plan.threads();
  return options;
}

}  // namespace

Trainer::Trainer(const pb::RankStart& start, base::FileSystem& files,
                 comm::Communicator& communicator, TrainerObserver& observer,
                 const StopSignal& stop)
    : start_(start),
      train_(start_.spec().train()),
      files_(files),
      communicator_(communicator),
      observer_(observer),
      stop_(stop) {}

// The order matters: the model says what data it takes, the plan is agreed on before anything is compiled by it (and ranks that
// wait for each other here are not taken for ones that compile), the replica's size depends on the data's share, the evaluator
// reads the replica's weights, and a checkpoint overwrites the first values.
absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const pb::RankStart& start,
                                                         base::FileSystem& files,
                                                         comm::Communicator& communicator,
                                                         TrainerObserver& observer,
                                                         const StopSignal& stop) {
  std::unique_ptr<Trainer> trainer(new Trainer(start, files, communicator, observer, stop));
  observer.OnDoing(Doing::kLoading, 0);
  RM_RETURN_IF_ERROR(trainer->BuildModel());
  RM_RETURN_IF_ERROR(trainer->OpenData());
  RM_RETURN_IF_ERROR(trainer->MakePlan());
  observer.OnDoing(Doing::kCompiling, 0);
  RM_RETURN_IF_ERROR(trainer->BuildReplica());
  RM_RETURN_IF_ERROR(trainer->BuildEvaluator());
  trainer->model_ = graph::Graph();  // the first values of its weights are no longer needed
  observer.OnDoing(Doing::kLoading, 0);
  RM_RETURN_IF_ERROR(trainer->Resume());
  RM_RETURN_IF_ERROR(trainer->CheckJobContinues());
  trainer->BuildSaver();
  trainer->started_ = absl::Now();
  trainer->last_save_time_ = trainer->started_;
  trainer->last_report_time_ = trainer->started_;
  trainer->last_report_step_ = trainer->step_;
  return trainer;
}

// Opens both sources and settles how many steps there are.
absl::Status Trainer::OpenData() {
  RM_ASSIGN_OR_RETURN(data_, OpenDataSources(start_.spec(), model_, files_));
  data::BatchReader::Options options;
  options.global_batch_size = train_.global_batch_size();
  options.seed = train_.seed();
  options.rank = communicator_.rank();
  options.world_size = communicator_.world_size();
  options.parts = MicroBatches();
  if (is_exact()) {
    const int64_t rows = train_.global_batch_size() / train_.virtual_shards();
    options.rows = data::Share{Shards().first * rows, Shards().count * rows};
  }
  reader_.emplace(*data_.training, options);
  total_steps_ = train_.steps() > 0 ? train_.steps()
                                    : data::TotalSteps(train_.epochs(), data_.training->size(),
                                                       train_.global_batch_size());
  return absl::OkStatus();
}

// The model with its first weights. Errors name the key of the job file that caused them.
absl::Status Trainer::BuildModel() {
  const pb::ModelSpec& spec = start_.spec().model();
  RM_ASSIGN_OR_RETURN(model_, model::BuildGraph(spec, &model_warnings_));
  if (!spec.weights().empty()) {
    RM_RETURN_IF_ERROR(
        base::Annotate(model::LoadWeights(files_, spec.weights(), &model_), "model.weights"));
  }
  return absl::OkStatus();
}

// What this rank would choose; what is followed is what rank 0, or the job's first generation, chose. Threads are the exception
// in fast mode: no rank needs to know another's, and a machine may have more or fewer cores than the one that chose.
absl::Status Trainer::MakePlan() {
  const pb::CommunicationSpec& communication = start_.spec().communication();
  pb::Plan own;
  own.set_threads(std::max(1, start_.threads()));
  own.set_bucket_bytes(communication.bucket_size() > 0 ? communication.bucket_size()
                                                       : ReplicaOptions().bucket_bytes_max);
  own.set_wire_dtype(communication.wire_dtype().empty() ? "fp32" : communication.wire_dtype());
  RM_ASSIGN_OR_RETURN(plan_, AgreeOnPlan(communicator_, start_.plan(), own));
  if (!is_exact()) plan_.set_threads(own.threads());
  return absl::OkStatus();
}

// After the compilation: only the program knows its kernels.
absl::Status Trainer::CheckPlan() {
  plan_.set_fingerprint(FingerprintOf(replica_->program(), plan_));
  const std::string& before = start_.plan().fingerprint();
  if (is_exact()) return CheckFingerprints(communicator_, plan_.fingerprint());
  if (!before.empty() && before != plan_.fingerprint()) {
    base::LogInfo("earlier generations computed by (", before, "), this one by (",
                  plan_.fingerprint(), "): the same up to rounding");
  }
  return absl::OkStatus();
}

// After Resume: a job that has saved nothing begins anew, and nothing of what it computed elsewhere is left in its bits.
absl::Status Trainer::CheckJobContinues() const {
  const std::string& before = start_.plan().fingerprint();
  if (!is_exact() || step_ == 0 || before.empty()) return absl::OkStatus();
  return CheckContinues("what this job has trained so far", before, plan_.fingerprint());
}

// Program, optimizer and buckets. Errors name the key of the job file that caused them.
absl::Status Trainer::BuildReplica() {
  RM_ASSIGN_OR_RETURN(learning_rate_, MakeLrSchedule(train_, total_steps_));
  RM_ASSIGN_OR_RETURN(auto optimizer, MakeOptimizer(train_.optimizer()));
  RM_ASSIGN_OR_RETURN(const graph::Graph graph,
                      model::ForBatch(model_, start_.spec().model(), reader_->local_batch(),
                                      model::Purpose::kTraining));
  ReplicaOptions options;
  options.local_batch = reader_->local_batch();
  options.micro_batches = MicroBatches();
  options.virtual_shards = static_cast<int>(train_.virtual_shards());
  options.no_decay.assign(train_.optimizer().no_decay().begin(),
                          train_.optimizer().no_decay().end());
  options.kernels = kernels::CpuKernels();
  options.kernel_options = KernelOptionsOf(plan_);
  RM_ASSIGN_OR_RETURN(options.precision, PrecisionOf(train_));
  options.seed = train_.seed();
  options.bucket_bytes_max = plan_.bucket_bytes();
  RM_ASSIGN_OR_RETURN(replica_,
                      Replica::Build(graph, options, std::move(optimizer), communicator_));
  RM_RETURN_IF_ERROR(CheckPlan());
  return BuildStepper();
}

// The rows of a micro-batch are read when its turn comes: they take the memory of those before.
absl::Status Trainer::BuildStepper() {
  StepperOptions options;
  options.gradient_clip = train_.gradient_clipping();
  options.seed = train_.seed();
  options.first_rows.clear();
  for (int part = 0; part < MicroBatches(); ++part) {
    options.first_rows.push_back(reader_->RowsOf(part).first);
  }
  RM_ASSIGN_OR_RETURN(Stepper stepper,
                      Stepper::Create(*replica_, communicator_,
                                      static_cast<double>(train_.global_batch_size()),
                                      std::move(options)));
  stepper_.emplace(std::move(stepper));
  RM_RETURN_IF_ERROR(stepper_->batch().Check(data_.layout, reader_->local_batch()));
  stepper_->SetFill([this](int part) {
    const absl::Time start = absl::Now();
    reader_->Fill(step_, stepper_->batch().memory(), part);
    input_time_ += absl::Now() - start;
  });
  return absl::OkStatus();
}

comm::ShardRun Trainer::Shards() const {
  return comm::ShardsOf(static_cast<int>(train_.virtual_shards()),
                        communicator_.world_size(), communicator_.rank());
}

// A job file without the key means one.
int Trainer::MicroBatches() const {
  if (is_exact()) return Shards().count;
  return static_cast<int>(std::max<int64_t>(1, train_.gradient_accumulation()));
}

// After Resume: the lineage of what is saved from here on ends with this generation and the step it began at. Where nothing
// is known of the generations before, and yet there were some, nothing may be said: it would disown their checkpoints.
void Trainer::BuildSaver() {
  SaverOptions saver;
  saver.files = &files_;
  saver.folder = start_.checkpoint_folder();
  saver.generation = start_.rank().generation();
  saver.lineage = LineageOf(start_);
  const bool known = !saver.lineage.empty() || step_ == 0;
  if (known && (saver.lineage.empty() || saver.lineage.back().generation < saver.generation)) {
    saver.lineage.push_back({saver.generation, step_});
  }
  saver.keep_last = std::max(1, start_.spec().checkpoint().keep_last());
  saver_.emplace(std::move(saver), *replica_, communicator_);
}

// A second program over the same weights, without the backward pass, for the validation set.
absl::Status Trainer::BuildEvaluator() {
  if (data_.validation == nullptr) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(
      evaluator_, Evaluator::Create(model_, start_.spec().model(), *data_.validation, *replica_,
                                    reader_->local_batch(), kernels::CpuKernels(), KernelOptionsOf(plan_), communicator_));
  return absl::OkStatus();
}

// "<step> <path>" of the newest checkpoint that counts and verifies; empty when there never was one. People are told of each
// damaged one that is passed over. Where damage has left none the job fails: to begin again from the first values would throw
// away work that a person may still be able to save.
absl::StatusOr<std::string> Trainer::ChooseCheckpoint() {
  std::vector<std::string> warnings;
  std::vector<checkpoint::Info> damaged;
  const auto found = checkpoint::FindNewest(files_, start_.checkpoint_folder(), LineageOf(start_),
                                            &warnings, &damaged);
  for (const std::string& warning : warnings) base::LogWarning(warning);
  if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
  if (!found.ok() && !damaged.empty()) {
    return absl::DataLossError(absl::StrCat(
        "CheckpointDamaged: of the checkpoints in ", start_.checkpoint_folder(), " (",
        damaged.size(), ") none is whole (the newest, ", damaged[0].name, ": ",
        damaged[0].problem, "); put a whole one there, or move the folder away to begin anew"));
  }
  for (const checkpoint::Info& info : damaged) {
    pb::Reason notice;
    notice.set_code("CheckpointDamaged");
    notice.set_sentence(absl::StrCat("checkpoint ", info.path, " is damaged (", info.problem,
                                     "); ", found->name, " is used instead"));
    observer_.OnNotice(notice, found->step);
  }
  return found.ok() ? absl::StrCat(found->step, " ", found->path) : "";
}

// Rank 0 chooses, so that all load the same one.
absl::Status Trainer::Resume() {
  std::string chosen;
  if (communicator_.rank() == 0) {
    RM_ASSIGN_OR_RETURN(chosen, ChooseCheckpoint());
  }
  // An empty choice: there is none, every rank starts from the first values.
  RM_ASSIGN_OR_RETURN(const std::string choice, BroadcastBytes(communicator_, chosen, 0));
  if (choice.empty()) return absl::OkStatus();
  const size_t space = choice.find(' ');
  if (!absl::SimpleAtoi(choice.substr(0, space), &step_)) {
    return absl::InternalError(absl::StrCat("rank 0 chose '", choice, "'"));
  }
  RM_RETURN_IF_ERROR(LoadTensors(choice.substr(space + 1)));
  saved_at_ = step_;
  stepper_->SetStep(step_);
  base::LogInfo("resumed from ", choice.substr(space + 1), " at step ", step_);
  return absl::OkStatus();
}

// Beside the job's own plan: the checkpoint may have been put there by a person, or by a coordinator that is no more. All ranks
// read the same and come to the same.
absl::Status Trainer::CheckContinuesFrom(const checkpoint::Checkpoint& loaded) {
  const std::string what = absl::StrCat("checkpoint ", loaded.info().name);
  const base::Json* before = loaded.trainer_state().Find("fingerprint");
  if (before != nullptr) {
    return CheckContinues(what, before->string_or(""), plan_.fingerprint());
  }
  if (communicator_.rank() == 0) {
    pb::Reason notice;
    notice.set_code("NoFingerprint");
    notice.set_sentence(absl::StrCat(
        what, " does not say on what it was computed (an earlier release wrote it): the bits are "
        "those of an undisturbed job only if that was like (", plan_.fingerprint(), ")"));
    observer_.OnNotice(notice, step_);
  }
  return absl::OkStatus();
}

// Every rank reads all of it: tensors are logical, so it does not matter how many ranks wrote them.
absl::Status Trainer::LoadTensors(const std::string& path) {
  RM_ASSIGN_OR_RETURN(const auto loaded, checkpoint::Checkpoint::Load(files_, path));
  if (is_exact()) RM_RETURN_IF_ERROR(CheckContinuesFrom(*loaded));
  for (const StateTensor& tensor : replica_->Weights()) {
    RM_RETURN_IF_ERROR(loaded->ReadWeights(tensor.name, tensor.values.data(),
                                           tensor.values.size() * sizeof(float)));
  }
  for (const StateTensor& tensor : replica_->OptimizerState()) {
    RM_RETURN_IF_ERROR(loaded->ReadOptimizer(tensor.name, tensor.values.data(),
                                             tensor.values.size() * sizeof(float)));
  }
  for (const auto& [name, value] : loaded->info().metrics) metrics_[name] = value;
  return absl::OkStatus();
}

}  // namespace rm::trainer
