package io.millrace.architecture.violations.engine.tensor;

import org.apache.spark.sql.SparkSession;

record KnowsSpark(SparkSession session) {}
