package io.millrace.udf.ui;

import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.status.AppHistoryServerPlugin;
import org.apache.spark.status.ElementTrackingStore;
import org.apache.spark.ui.SparkUI;
import org.apache.spark.util.kvstore.KVStore;
import scala.collection.immutable.Seq;

/// Has the history server show the tab of an application that ran with {@link io.millrace.udf.EnginePlugin}.
/// Found by the server as a service; this project's jars must be on its class path.
public final class InferenceHistory implements AppHistoryServerPlugin {

    @Override
    public Seq<SparkListener> createListeners(SparkConf conf, ElementTrackingStore store) {
        return Html.seq(List.of(new SparkListener() {
            @Override
            public void onOtherEvent(SparkListenerEvent event) {
                if (event instanceof InferenceUpdate(ExecutorView view)) {
                    store.write(view);
                }
            }
        }));
    }

    @Override
    public void setupUI(SparkUI ui) {
        KVStore store = ui.store().store();
        try {
            if (store.count(ExecutorView.class) > 0) {
                ui.attachTab(new InferenceTab(ui));
            }
        } catch (Exception e) {
            throw new IllegalStateException("the store of " + ui.appId() + " could not be read", e);
        }
    }
}
