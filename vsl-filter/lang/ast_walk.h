// Going over the children of a node, whatever kind it is.
#pragma once

#include "vsl-filter/lang/ast.h"

namespace vsl::ast {

// Calls see(Node*&) for each child that is there, in the order of evaluation as far as the text tells it. `see` may put another node in
// the place of one that is an expression. Bodies of closures are children; functions are not part of any node.
template <class See>
void for_each_child(Node& node, See&& see) {
  const auto maybe = [&see](Node*& child) {
    if (child != nullptr) see(child);
  };
  const auto block = [&see](Block* child) {
    Node* node_of_block = child;
    if (child != nullptr) see(node_of_block);
  };
  const auto all = [&see](Nodes children) {
    for (Node*& child : children) see(child);
  };
  switch (node.kind) {
    case Kind::Error: case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String:
    case Kind::Name: case Kind::Path: case Kind::This: case Kind::Continue: break;
    case Kind::Template: all(as<Template>(node).parts); break;
    case Kind::Array: all(as<Array>(node).elements); break;
    case Kind::Map:
      for (MapEntry& entry : as<Map>(node).entries) see(entry.value);
      break;
    case Kind::Unary: see(as<Unary>(node).operand); break;
    case Kind::Binary:
      see(as<Binary>(node).left);
      see(as<Binary>(node).right);
      break;
    case Kind::Index:
      see(as<Index>(node).object);
      see(as<Index>(node).index);
      break;
    case Kind::Property: see(as<Property>(node).object); break;
    case Kind::Call: all(as<Call>(node).arguments); break;
    case Kind::MethodCall:
      see(as<MethodCall>(node).object);
      all(as<MethodCall>(node).arguments);
      break;
    case Kind::Closure: maybe(as<Closure>(node).body.code); break;
    case Kind::Block: all(as<Block>(node).statements); break;
    case Kind::If:
      for (Branch& branch : as<If>(node).branches) {
        see(branch.condition);
        block(branch.block);
      }
      block(as<If>(node).otherwise);
      break;
    case Kind::Switch:
      see(as<Switch>(node).subject);
      for (Case& each : as<Switch>(node).cases) {
        all(each.labels);
        maybe(each.guard);
        see(each.body);
      }
      break;
    case Kind::While:
      see(as<While>(node).condition);
      block(as<While>(node).block);
      break;
    case Kind::DoLoop:
      block(as<DoLoop>(node).block);
      see(as<DoLoop>(node).condition);
      break;
    case Kind::Loop: block(as<Loop>(node).block); break;
    case Kind::For:
      see(as<For>(node).iterable);
      block(as<For>(node).block);
      break;
    case Kind::Let: maybe(as<Let>(node).value); break;
    case Kind::Assign:
      see(as<Assign>(node).value);
      see(as<Assign>(node).target);
      break;
    case Kind::Break: maybe(as<Break>(node).value); break;
    case Kind::Return: maybe(as<Return>(node).value); break;
    case Kind::Throw: maybe(as<Throw>(node).value); break;
    case Kind::Try:
      block(as<Try>(node).block);
      block(as<Try>(node).handler);
      break;
    case Kind::Import: see(as<Import>(node).path); break;
    case Kind::Export:
      if (as<Export>(node).declaration != nullptr) {
        Node* declaration = as<Export>(node).declaration;
        see(declaration);
      }
      break;
    case Kind::Directive:
      maybe(as<Directive>(node).subject);
      see(as<Directive>(node).body);
      break;
    case Kind::Declaration: see(as<Declaration>(node).value); break;
  }
}

}  // namespace vsl::ast
