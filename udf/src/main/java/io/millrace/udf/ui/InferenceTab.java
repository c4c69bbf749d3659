package io.millrace.udf.ui;

import org.apache.spark.ui.SparkUI;
import org.apache.spark.ui.SparkUITab;

/// The tab "Inference" of an application's UI, one page.
final class InferenceTab extends SparkUITab {
    InferenceTab(SparkUI ui) {
        super(ui, "inference");
        attachPage(new InferencePage(this, ui.store().store()));
    }

    @Override
    public String name() {
        return "Inference";
    }
}
