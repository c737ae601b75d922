// ONNX models for tests, built in a few words each.
//
//   ModelBuilder model;
//   model.Input("x", {"batch", "4"}).Weight("w", {4, 3}, 0.5F).Node("MatMul", {"x", "w"}, {"y"}).Output("y");
//   ImportModel(model.proto(), {})
#ifndef RM_RUNTIME_ONNX_TESTING_H_
#define RM_RUNTIME_ONNX_TESTING_H_

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "proto/onnx.pb.h"

namespace rm::onnx {

class ModelBuilder {
 public:
  explicit ModelBuilder(int64_t opset = 17) {
    proto_.set_ir_version(8);
    proto_.add_opset_import()->set_version(opset);
    proto_.mutable_graph()->set_name("test");
  }

  // Dimensions are numbers, or names of open ones; "" is one that is not said at all.
  ModelBuilder& Input(const std::string& name, const std::vector<std::string>& dimensions,
                      int type = ringmaster::onnx::TensorProto::FLOAT) {
    auto* input = proto_.mutable_graph()->add_input();
    input->set_name(name);
    auto* tensor = input->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape();
    for (const std::string& dimension : dimensions) {
      auto* dim = tensor->mutable_shape()->add_dim();
      const bool number = dimension.find_first_not_of("-0123456789") == std::string::npos;
      if (number && !dimension.empty()) dim->set_dim_value(std::atoll(dimension.c_str()));
      if (!number) dim->set_dim_param(dimension);
    }
    return *this;
  }

  ModelBuilder& Output(const std::string& name) {
    proto_.mutable_graph()->add_output()->set_name(name);
    return *this;
  }

  // float32 of one repeated value, or of these.
  ModelBuilder& Weight(const std::string& name, const std::vector<int64_t>& shape, float value) {
    size_t elements = 1;
    for (int64_t dimension : shape) elements *= static_cast<size_t>(dimension);
    return Weights(name, shape, std::vector<float>(elements, value));
  }
  ModelBuilder& Weights(const std::string& name, const std::vector<int64_t>& shape,
                        const std::vector<float>& values) {
    auto* tensor = Initializer(name, shape, ringmaster::onnx::TensorProto::FLOAT);
    for (float value : values) tensor->add_float_data(value);
    return *this;
  }
  ModelBuilder& Integers(const std::string& name, const std::vector<int64_t>& numbers) {
    auto* tensor = Initializer(name, {static_cast<int64_t>(numbers.size())},
                               ringmaster::onnx::TensorProto::INT64);
    for (int64_t number : numbers) tensor->add_int64_data(number);
    return *this;
  }
  ringmaster::onnx::TensorProto* Initializer(const std::string& name,
                                             const std::vector<int64_t>& shape, int type) {
    auto* tensor = proto_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (int64_t dimension : shape) tensor->add_dims(dimension);
    return tensor;
  }

  // A node called after its first output.
  ModelBuilder& Node(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs) {
    auto* node = proto_.mutable_graph()->add_node();
    node->set_op_type(op);
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    return *this;
  }

  // Attributes of the last node.
  ringmaster::onnx::AttributeProto* Attribute(const std::string& name) {
    auto* nodes = proto_.mutable_graph()->mutable_node();
    auto* attribute = nodes->Mutable(nodes->size() - 1)->add_attribute();
    attribute->set_name(name);
    return attribute;
  }
  ModelBuilder& Int(const std::string& name, int64_t value) {
    auto* attribute = Attribute(name);
    attribute->set_type(ringmaster::onnx::AttributeProto::INT);
    attribute->set_i(value);
    return *this;
  }
  ModelBuilder& String(const std::string& name, const std::string& value) {
    auto* attribute = Attribute(name);
    attribute->set_type(ringmaster::onnx::AttributeProto::STRING);
    attribute->set_s(value);
    return *this;
  }
  ModelBuilder& Ints(const std::string& name, const std::vector<int64_t>& values) {
    auto* attribute = Attribute(name);
    attribute->set_type(ringmaster::onnx::AttributeProto::INTS);
    for (int64_t value : values) attribute->add_ints(value);
    return *this;
  }

  const ringmaster::onnx::ModelProto& proto() const { return proto_; }
  ringmaster::onnx::ModelProto& mutable_proto() { return proto_; }

 private:
  ringmaster::onnx::ModelProto proto_;
};

// x (batch, 4) → fc (3), as PyTorch exports a Linear layer.
inline ModelBuilder LinearModel() {
  ModelBuilder model;
  model.Input("x", {"batch", "4"})
      .Weights("fc.weight", {3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
      .Weights("fc.bias", {3}, {0.5F, -0.5F, 0})
      .Node("Gemm", {"x", "fc.weight", "fc.bias"}, {"logits"})
      .Int("transB", 1)
      .Output("logits");
  return model;
}

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_TESTING_H_
